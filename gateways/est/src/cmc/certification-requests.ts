// The certification requests of a Full PKI Request in one shape, whether PKCS #10 or CRMF (RFC 5272 §3.2.1.2): key, names,
// what the client put beside them, and the proof that it holds the key. None of them is ever edited.

import { readCertificateRequestMessage, verifyProofOfPossession } from '@gatehouse/pkix/certificate-request-message';
import {
  type CertificationRequest,
  type RequestAttribute,
  readCertificationRequest,
  requestedNames,
} from '@gatehouse/pkix/certification-request';
import { DerCursor, DerError, readObjectIdentifier, tags } from '@gatehouse/pkix/der/reader';
import { PkixError } from '@gatehouse/pkix/errors';
import type { Extension } from '@gatehouse/pkix/extensions';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import type { Name } from '@gatehouse/pkix/names';
import { algorithms } from '@gatehouse/pkix/object-identifiers';
import { type Verification, verifySignature } from '@gatehouse/pkix/signature-algorithms';
import type { SubjectKey } from '@gatehouse/ra-client/enrollment';
import { CmcFailure } from './failure.ts';
import type { TaggedRequest } from './pki-data.ts';

/** One request. */
export type CmcRequest = {
  readonly bodyPartId: number;
  /** As it came, DER. */
  readonly der: Uint8Array;
  /** What the keep is given. */
  readonly subjectKey: SubjectKey;
  readonly subject: Name;
  readonly names: readonly GeneralName[];
  readonly extensions: readonly Extension[];
  readonly subjectPublicKeyInfo: Uint8Array;
  /** Attributes of PKCS #10, controls of CRMF. */
  readonly attributes: readonly RequestAttribute[];
  /** The request itself where it is PKCS #10; only that can be bound to a connection (RFC 7030 §3.5). */
  readonly certificationRequest: CertificationRequest | undefined;
  /** Whether it is signed at all, and if so whether by its own key. */
  readonly possession: Verification | 'unsigned';
};

/** More than any client puts into one CRMF request. */
const maximumCrmfControls = 32;

/**
 * Reads the requests.
 *
 * @throws {CmcFailure} `badRequest` naming the request
 */
export function readRequests(requests: readonly TaggedRequest[]): readonly CmcRequest[] {
  return requests.map((tagged) => within(tagged.bodyPartId, () => readRequest(tagged)));
}

/**
 * Refuses requests whose client does not show that it holds the key; the keep proves it again.
 *
 * @throws {CmcFailure} `popRequired` or `popFailed` naming the request
 */
export function provePossession(requests: readonly CmcRequest[]): void {
  for (const { bodyPartId, possession } of requests) {
    const bodyParts = [bodyPartId];
    if (possession === 'unsigned') {
      throw new CmcFailure('popRequired', 'the request is not signed by its key', { bodyParts });
    }
    if (!possession.ok) throw new CmcFailure('popFailed', possession.reason, { bodyParts });
  }
}

function within<T>(bodyPartId: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PkixError)) throw error;
    throw new CmcFailure('badRequest', error.detail, { bodyParts: [bodyPartId], cause: error });
  }
}

function readRequest(tagged: TaggedRequest): CmcRequest {
  switch (tagged.kind) {
    case 'certification-request':
      return readPkcs10(tagged.bodyPartId, tagged.der);
    case 'certificate-request-message':
      return readCrmf(tagged.bodyPartId, tagged.der);
    case 'other':
      // RFC 5272 §3.2.1: noSupport for the item, and no other request is processed.
      throw new CmcFailure('badRequest', `requests of type ${tagged.type} are not processed here`, {
        bodyParts: [tagged.bodyPartId],
        isUnsupported: true,
      });
  }
}

function readPkcs10(bodyPartId: number, der: Uint8Array): CmcRequest {
  const request = readCertificationRequest(der);
  const { subject, subjectPublicKeyInfo, extensions, attributes, signatureAlgorithm, signature, info } = request;
  return {
    bodyPartId,
    der,
    subjectKey: { kind: 'certification-request', der },
    subject,
    names: requestedNames(request),
    extensions,
    subjectPublicKeyInfo,
    attributes,
    certificationRequest: request,
    // RFC 5272 appendix C.1: a digest in the place of the signature, for keys that cannot sign.
    possession:
      signatureAlgorithm.oid === algorithms.noSignature
        ? 'unsigned'
        : verifySignature({ algorithm: signatureAlgorithm, spki: subjectPublicKeyInfo, data: info, signature }),
  };
}

function readCrmf(bodyPartId: number, der: Uint8Array): CmcRequest {
  const message = readCertificateRequestMessage(der);
  const { subject, names, subjectPublicKeyInfo, extensions, certificateRequest, proofOfPossession } = message;
  return {
    bodyPartId,
    der,
    subjectKey: { kind: 'certificate-request-message', der },
    subject,
    names,
    extensions,
    subjectPublicKeyInfo,
    attributes: readCrmfControls(certificateRequest),
    certificationRequest: undefined,
    possession: proofOfPossession.kind === 'signature' ? verifyProofOfPossession(message) : 'unsigned',
  };
}

/** The controls of a CertRequest, RFC 4211 §6: a type and one value each. @throws {DerError} */
export function readCrmfControls(certificateRequest: Uint8Array): readonly RequestAttribute[] {
  const fields = new DerCursor(certificateRequest).enter(tags.sequence);
  fields.skip(tags.integer);
  fields.skip(tags.sequence);
  const list = fields.enterOptional(tags.sequence);
  fields.expectEnd();
  const controls: RequestAttribute[] = [];
  while (list !== undefined && !list.isAtEnd) {
    if (controls.length === maximumCrmfControls) throw new DerError(`more than ${maximumCrmfControls} controls`);
    const control = list.enter(tags.sequence);
    const type = readObjectIdentifier(control.read(tags.objectIdentifier));
    const value = control.read().raw;
    control.expectEnd();
    if (controls.some((known) => known.type === type)) throw new DerError(`control ${type} occurs twice`);
    controls.push({ type, values: [value] });
  }
  return controls;
}
