/**
 * Takes the requester's part of an enrollment apart: which key, which names, which extensions, and how possession of
 * the key is proved. Nothing that is read here reaches a certificate unless the profile says so.
 */

import {
  CertificateRequestMessageError,
  readCertificateRequestMessage,
  verifyProofOfPossession,
} from '@gatehouse/pkix/certificate-request-message';
import {
  type CertificationRequest,
  CertificationRequestError,
  readCertificationRequest,
  requestedExtensions,
  requestedNames,
} from '@gatehouse/pkix/certification-request';
import type { Extension } from '@gatehouse/pkix/extensions';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import type { Name } from '@gatehouse/pkix/names';
import {
  describePublicKey,
  type PublicKeyDescription,
  PublicKeyError,
  publicKeyFingerprint,
} from '@gatehouse/pkix/public-key';
import type { Verification } from '@gatehouse/pkix/signature-algorithms';
import type { EnrollRequest, StatedPublicKey } from '@gatehouse/proto/certificate-authority';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Verifier } from '../verification/verifier.ts';

/** What the requester asked for, in one shape for every form of request. */
export type SubjectKey = {
  /** DER. */
  readonly subjectPublicKeyInfo: Uint8Array;
  readonly description: PublicKeyDescription;
  /** SHA-256 of `subjectPublicKeyInfo`. */
  readonly fingerprint: Uint8Array;
  readonly subject: Name;
  readonly names: readonly GeneralName[];
  readonly extensions: readonly Extension[];
  /** How possession is proved, for the audit log. */
  readonly proofOfPossession: string;
  /** Throws CoreError `bad-csr` unless the requester holds the private key. */
  provePossession(verifier: Verifier, isBusy: boolean): void | Promise<void>;
};

/** The requester does not hold the private key, or did not show that it does. */
export class ProofOfPossessionError extends CoreError {
  constructor(reason: string) {
    super('bad-csr', `the request does not prove possession of its key: ${reason}`);
  }
}

/** Reads whichever form the RA sent. Throws CoreError `malformed`, `bad-csr` or `bad-key`. */
export function readSubjectKey(request: EnrollRequest): SubjectKey {
  const subjectKey = readAnyForm(request);
  // With a key that nobody here can use no proof can be judged, and the fault is the key's.
  if (subjectKey.description.kind === 'unsupported') throw new CoreError('bad-key', subjectKey.description.detail);
  return subjectKey;
}

function readAnyForm(request: EnrollRequest): SubjectKey {
  try {
    switch (request.subjectKey?.$case) {
      case 'certificationRequest':
        return fromCertificationRequest(request.subjectKey.value);
      case 'certificateRequestMessage':
        return fromCertificateRequestMessage(request.subjectKey.value);
      case 'publicKey':
        return fromStatedKey(request.subjectKey.value);
      default:
        throw new CoreError('malformed', 'the enrollment holds neither a certification request nor a public key');
    }
  } catch (error) {
    if (error instanceof CertificationRequestError || error instanceof CertificateRequestMessageError) {
      throw new CoreError(error.code, error.detail, { cause: error });
    }
    if (error instanceof PublicKeyError) throw new CoreError('bad-key', error.detail, { cause: error });
    throw error;
  }
}

function fromCertificationRequest(der: Uint8Array): SubjectKey {
  const request = readCertificationRequest(der);
  return {
    subjectPublicKeyInfo: request.subjectPublicKeyInfo,
    description: describePublicKey(request.subjectPublicKeyInfo),
    fingerprint: publicKeyFingerprint(request.subjectPublicKeyInfo),
    subject: request.subject,
    names: requestedNames(request),
    extensions: requestedExtensions(request),
    proofOfPossession: 'PKCS#10 signature',
    provePossession: (verifier, isBusy) => proveBySelfSignature(request, verifier, isBusy),
  };
}

/** RFC 2986 §4.2: the request is signed with the subject's private key. */
function proveBySelfSignature(
  request: CertificationRequest,
  verifier: Verifier,
  isBusy: boolean,
): void | Promise<void> {
  const verification = verifier.verifyRequest(request, isBusy);
  return verification instanceof Promise ? verification.then(refuseUnproven) : refuseUnproven(verification);
}

function refuseUnproven(check: Verification): void {
  if (!check.ok) throw new ProofOfPossessionError(check.reason);
}

function fromCertificateRequestMessage(der: Uint8Array): SubjectKey {
  const message = readCertificateRequestMessage(der);
  return {
    subjectPublicKeyInfo: message.subjectPublicKeyInfo,
    description: describePublicKey(message.subjectPublicKeyInfo),
    fingerprint: publicKeyFingerprint(message.subjectPublicKeyInfo),
    subject: message.subject,
    names: message.names,
    extensions: message.extensions,
    proofOfPossession: 'CRMF POPOSigningKey',
    // RFC 4211 §4.1
    provePossession: () => refuseUnproven(verifyProofOfPossession(message)),
  };
}

/** The profile decides later whether it accepts an RA's word instead of a proof. */
function fromStatedKey(stated: StatedPublicKey): SubjectKey {
  if (stated.proofOfPossession === '') {
    throw new CoreError('malformed', 'the RA does not say how possession of the key was proved');
  }
  return {
    subjectPublicKeyInfo: stated.subjectPublicKeyInfo,
    description: describePublicKey(stated.subjectPublicKeyInfo),
    fingerprint: publicKeyFingerprint(stated.subjectPublicKeyInfo),
    subject: [],
    names: [],
    extensions: [],
    proofOfPossession: `stated by the RA: ${stated.proofOfPossession}`,
    provePossession: () => undefined,
  };
}
