// A CMC client for tests, RFC 5272: it builds Full PKI Requests out of the package's own writers, right ones and wrong
// ones, and takes responses apart.

import { createHash, createHmac, createPublicKey, type KeyObject } from 'node:crypto';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import type { RequestAttribute } from '@gatehouse/pkix/certification-request';
import { createSignedData, readSignedData, verifySignedData } from '@gatehouse/pkix/cms/signed-data';
import {
  DerCursor,
  readBigInteger,
  readObjectIdentifier,
  readOctetString,
  readSmallInteger,
  readString,
  readTime,
  tags,
} from '@gatehouse/pkix/der/reader';
import {
  bitString,
  explicit,
  implicitConstructed,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  time,
  utf8String,
  wrap,
} from '@gatehouse/pkix/der/writer';
import {
  keyIdentifier,
  subjectAlternativeName,
  subjectKeyIdentifier,
  writeExtensions,
} from '@gatehouse/pkix/extensions';
import { parseGeneralName } from '@gatehouse/pkix/general-names';
import { parseName, writeName } from '@gatehouse/pkix/names';
import { algorithms, cmcControls, contentTypes } from '@gatehouse/pkix/object-identifiers';
import { signatureAlgorithmFor } from '@gatehouse/pkix/signature-algorithms';
import type { EstResponse } from './client.ts';

/** A control: its type and the DER of its value. */
export type Control = readonly [type: string, value: Uint8Array];

/** A request with its tag, as it stands in reqSequence. */
export type Tagged = Uint8Array;

/** TaggedRequest of PKCS #10. */
export function tcr(bodyPartId: number, certificationRequest: Uint8Array): Tagged {
  return implicitConstructed(0, sequence(integer(bodyPartId), certificationRequest));
}

/** TaggedRequest of CRMF. */
export function crm(message: Uint8Array): Tagged {
  return implicitConstructed(1, message);
}

/** reqSequence. */
export function requestSequence(requests: readonly Tagged[]): Uint8Array {
  return sequence(...requests);
}

/** PKIData, DER; controls are numbered from 100. */
export function pkiData(requests: readonly Tagged[], controls: readonly Control[] = []): Uint8Array {
  const controlSequence = controls.map(([type, value], index) =>
    sequence(integer(100 + index), objectIdentifier(type), setOf([value])),
  );
  return sequence(sequence(...controlSequence), requestSequence(requests), sequence(), sequence());
}

/** Full PKI Request signed by the holder of a certificate. */
export function signedBy(
  signer: { readonly certificate: Certificate; readonly key: KeyObject },
  content: Uint8Array,
  certificates: readonly Uint8Array[] = [signer.certificate.der],
): Uint8Array {
  return createSignedData({ content, contentType: contentTypes.pkiData, signer, certificates });
}

/** Full PKI Request signed by the key of one of its requests, RFC 5272 §3.2. */
export function signedByRequestKey(key: KeyObject, content: Uint8Array): Uint8Array {
  return createSignedData({
    content,
    contentType: contentTypes.pkiData,
    signer: { certificate: selfSignedCertificate(key, 'CN=request key'), key },
    certificates: [],
    identifyBy: 'subject-key-identifier',
  });
}

/** Full PKI Request that nobody signed. */
export function unsigned(content: Uint8Array): Uint8Array {
  const signedData = sequence(
    integer(3),
    setOf([]),
    sequence(objectIdentifier(contentTypes.pkiData), explicit(0, octetString(content))),
    setOf([]),
  );
  return sequence(objectIdentifier(contentTypes.signedData), explicit(0, signedData));
}

/** A certificate that says no more than its key. */
export function selfSignedCertificate(key: KeyObject, subject: string): Certificate {
  const { identifier, sign } = signatureAlgorithmFor(key);
  const spki = publicKeyOf(key);
  const tbs = sequence(
    explicit(0, integer(2)),
    integer(1),
    identifier,
    writeName(parseName(subject)),
    sequence(time(new Date(Date.now() - 60_000)), time(new Date(Date.now() + 86_400_000))),
    writeName(parseName(subject)),
    spki,
    explicit(3, writeExtensions([subjectKeyIdentifier(spki)])),
  );
  return readCertificate(sequence(tbs, identifier, bitString(sign(tbs))));
}

/** SubjectPublicKeyInfo of a private key. */
export function publicKeyOf(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ format: 'der', type: 'spki' });
}

/** What a CRMF request holds. */
export type CrmfShape = {
  readonly bodyPartId: number;
  readonly subject?: string;
  readonly names?: readonly string[];
  readonly key: KeyObject;
  readonly controls?: readonly RequestAttribute[];
  readonly proof?: 'signature' | 'none' | 'wrong';
};

/** CertReqMsg, RFC 4211 §3. */
export function certificateRequestMessage(shape: CrmfShape): Uint8Array {
  const { bodyPartId, subject = '', names = [], key, controls = [], proof = 'signature' } = shape;
  const spki = publicKeyOf(key);
  const extensions = [
    subjectKeyIdentifier(spki),
    ...(names.length === 0 ? [] : [subjectAlternativeName(names.map(parseGeneralName), subject === '')]),
  ];
  const template = sequence(
    explicit(5, writeName(parseName(subject))),
    implicitConstructed(6, spki),
    implicitConstructed(9, writeExtensions(extensions)),
  );
  const written = controls.map(({ type, values }) => sequence(objectIdentifier(type), ...values));
  const request = sequence(integer(bodyPartId), template, ...(written.length === 0 ? [] : [sequence(...written)]));
  if (proof === 'none') return sequence(request);
  const { identifier, sign } = signatureAlgorithmFor(key);
  const signature = sign(proof === 'wrong' ? Buffer.from('something else') : request);
  return sequence(request, wrap(0xa1, identifier, bitString(signature)));
}

/** subjectKeyIdentifier of a private key, for signing without a certificate. */
export function keyIdentifierOf(key: KeyObject): Uint8Array {
  return keyIdentifier(publicKeyOf(key));
}

const hash = { sha1: algorithms.sha1, sha256: algorithms.sha256, sha512: algorithms.sha512 };
const mac = { sha1: algorithms.hmacWithSHA1, sha256: algorithms.hmacWithSHA256, sha512: algorithms.hmacWithSHA512 };

/** IdentifyProofV2 or PopLinkWitnessV2: a MAC over `message` under the hash of the secret. */
export function witness(
  secret: string,
  message: Uint8Array,
  digest: 'sha1' | 'sha256' | 'sha512' = 'sha256',
): Uint8Array {
  return sequence(
    sequence(objectIdentifier(hash[digest])),
    sequence(objectIdentifier(mac[digest])),
    octetString(macOf(secret, message, digest)),
  );
}

/** The MAC alone, as the version 1 controls hold it. */
export function macOf(secret: string, message: Uint8Array, digest: string): Buffer {
  return createHmac(digest, createHash(digest).update(secret, 'utf8').digest()).update(message).digest();
}

/** Controls by which a user proves its identity. */
export function identityProof(
  user: string,
  secret: string,
  requests: readonly Tagged[],
  digest: 'sha1' | 'sha256' | 'sha512' = 'sha256',
): readonly Control[] {
  return [
    [cmcControls.identification, utf8String(user)],
    [cmcControls.identityProofV2, witness(secret + user, requestSequence(requests), digest)],
  ];
}

/** RevokeRequest. */
export function revokeRequest(
  { issuerDer, serialNumber }: Certificate,
  { reason = 4, secret }: { readonly reason?: number; readonly secret?: string } = {},
): Control {
  return [
    cmcControls.revokeRequest,
    sequence(
      issuerDer,
      integer(Buffer.from(serialNumber, 'hex')),
      wrap(tags.enumerated, Buffer.of(reason)),
      ...(secret === undefined ? [] : [octetString(Buffer.from(secret))]),
    ),
  ];
}

/** One CMCStatusInfoV2. */
export type StatusInfo = {
  readonly status: number;
  readonly bodyParts: readonly number[];
  readonly statusString: string | undefined;
  readonly failInfo: number | undefined;
  readonly pendInfo: { readonly pendToken: Buffer; readonly pendTime: Date } | undefined;
};

/** A response, taken apart. */
export type FullResponse = {
  readonly statuses: readonly StatusInfo[];
  /** Other controls by type. */
  readonly controls: ReadonlyMap<string, Buffer>;
  readonly certificates: readonly Certificate[];
  readonly signer: Certificate;
};

/** Reads a CMC-response and verifies its signature; throws for everything else. */
export function readFullResponse(response: EstResponse): FullResponse {
  const type = response.headers['content-type'];
  if (type !== 'application/pkcs7-mime; smime-type=CMC-response') {
    throw new Error(`${response.status} ${type}: ${response.body}`);
  }
  const message = readSignedData(Buffer.from(response.body, 'base64'));
  const verification = verifySignedData(message);
  if (!verification.ok) throw new Error(verification.reason);
  const [signer] = verification.signers;
  if (message.contentType !== contentTypes.pkiResponse || message.content === undefined || signer === undefined) {
    throw new Error('no PKIResponse');
  }
  const fields = new DerCursor(message.content).enter(tags.sequence);
  const list = fields.enter(tags.sequence);
  fields.read(tags.sequence);
  fields.read(tags.sequence);
  fields.expectEnd();
  const statuses: StatusInfo[] = [];
  const controls = new Map<string, Buffer>();
  while (!list.isAtEnd) {
    const control = list.enter(tags.sequence);
    control.read(tags.integer);
    const controlType = readObjectIdentifier(control.read(tags.objectIdentifier));
    const values = control.enter(tags.set);
    if (controlType === cmcControls.statusInfoV2) statuses.push(readStatusInfo(values));
    else controls.set(controlType, Buffer.from(values.read().raw));
  }
  return { statuses, controls, certificates: message.certificates.map(readCertificate), signer };
}

function readStatusInfo(values: DerCursor): StatusInfo {
  const fields = values.enter(tags.sequence);
  const status = readSmallInteger(fields.read(tags.integer));
  const list = fields.enter(tags.sequence);
  const bodyParts: number[] = [];
  while (!list.isAtEnd) bodyParts.push(Number(readBigInteger(list.read(tags.integer))));
  const text = fields.readOptional(0x0c);
  const failInfo = fields.readOptional(tags.integer);
  const pending = fields.enterOptional(tags.sequence);
  fields.expectEnd();
  return {
    status,
    bodyParts,
    statusString: text === undefined ? undefined : readString(text).value,
    failInfo: failInfo === undefined ? undefined : readSmallInteger(failInfo),
    pendInfo: pending && {
      pendToken: Buffer.from(readOctetString(pending.read(tags.octetString))),
      pendTime: readTime(pending.read(tags.generalizedTime)),
    },
  };
}
