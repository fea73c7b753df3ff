// OCSP requests (RFC 6960 §4.1). Reading is the first thing that happens to a stranger's octets in the status gate: it
// looks at the size first, and refuses what the responder could only misunderstand. A signature is passed over: the
// answer is public, and RFC 6960 §4.1.2 leaves it to the responder whether it asks for one.
import {
  type DerCursor,
  DerError,
  open,
  readBitString,
  readOctetString,
  readOnly,
  readSmallInteger,
  tags,
} from '../der/reader.ts';
import { explicit, octetString, sequence } from '../der/writer.ts';
import { PkixError } from '../errors.ts';
import { readExtensions, writeExtensions } from '../extensions.ts';
import { ocspIds } from '../object-identifiers.ts';
import { readAlgorithmIdentifier } from '../signature-algorithms.ts';
import { type CertificateId, readCertificateId } from './certificate-id.ts';

/** Largest request that is read, in octets. A request for one certificate has about 80, for 16 about 1200. */
export const maximumRequestOctets = 2048;
/** Most certificates that one request may ask for. */
export const maximumRequests = 16;
/** RFC 9654 §2.1: a nonce has 1 to 128 octets; any other is to be refused as malformed. */
export const maximumNonceOctets = 128;

/** What an OCSP request asks. All bytes are views of what was read. */
export type OcspRequest = {
  /** In the order of the request, one at least. */
  readonly certificateIds: readonly CertificateId[];
  /** Octets of the nonce (RFC 9654 §2.1), without any wrapping. */
  readonly nonce: Uint8Array | undefined;
  /** Whether it carries a signature, which is not verified. */
  readonly isSigned: boolean;
};

/** Octets that are no OCSP request, or one that cannot be answered: `malformedRequest` of RFC 6960 §4.2.1. */
export class OcspRequestError extends PkixError {
  readonly code = 'malformed';
}

/** Reads an OCSPRequest of at most {@link maximumRequestOctets} octets. @throws OcspRequestError */
export function readOcspRequest(der: Uint8Array): OcspRequest {
  if (der.length > maximumRequestOctets) {
    throw new OcspRequestError(`OCSP request: ${der.length} octets where ${maximumRequestOctets} are allowed`);
  }
  try {
    return read(der);
  } catch (cause) {
    if (cause instanceof DerError) throw new OcspRequestError(`OCSP request: ${cause.detail}`, { cause });
    throw cause;
  }
}

function read(der: Uint8Array): OcspRequest {
  const outer = open(der, tags.sequence);
  const tbsRequest = outer.enter(tags.sequence);
  const signature = outer.enterOptional(0xa0);
  outer.expectEnd();
  if (signature !== undefined) checkSignatureForm(signature);

  const version = tbsRequest.enterOptional(0xa0);
  if (version !== undefined) {
    // X.690 §11.5 forbids to write the default; some clients do.
    if (readSmallInteger(version.read(tags.integer)) !== 0) throw new DerError('the version is unknown');
    version.expectEnd();
  }
  // requestorName belongs to the signature, which is not looked at.
  tbsRequest.enterOptional(0xa1)?.skip();
  const requestList = tbsRequest.enter(tags.sequence);
  const extensions = tbsRequest.enterOptional(0xa2);
  tbsRequest.expectEnd();

  const certificateIds: CertificateId[] = [];
  do {
    if (certificateIds.length === maximumRequests) {
      throw new OcspRequestError(`OCSP request: for more than ${maximumRequests} certificates`);
    }
    certificateIds.push(readSingleRequest(requestList.enter(tags.sequence)));
  } while (!requestList.isAtEnd);
  return { certificateIds, nonce: extensions && readNonce(extensions), isSigned: signature !== undefined };
}

function readSingleRequest(fields: DerCursor): CertificateId {
  const certificateId = readCertificateId(fields.read(tags.sequence));
  const extensions = fields.enterOptional(0xa0);
  fields.expectEnd();
  if (extensions !== undefined) readKnown(extensions, undefined);
  return certificateId;
}

function readNonce(extensions: DerCursor): Uint8Array | undefined {
  const value = readKnown(extensions, ocspIds.nonce);
  if (value === undefined) return undefined;
  const nonce = readOctetString(readOnly(value, tags.octetString));
  if (nonce.length === 0 || nonce.length > maximumNonceOctets) {
    throw new DerError(`the nonce has ${nonce.length} octets where 1 to ${maximumNonceOctets} are allowed`);
  }
  return nonce;
}

// The value of the one extension that is understood. RFC 6960 §4.4: others must be ignored unless they are critical.
function readKnown(field: DerCursor, id: string | undefined): Uint8Array | undefined {
  const extensions = readExtensions(field.read(tags.sequence));
  field.expectEnd();
  const unknown = extensions.find((extension) => extension.isCritical && extension.id !== id);
  if (unknown !== undefined) throw new DerError(`critical extension ${unknown.id} is not processed`);
  return extensions.find((extension) => extension.id === id)?.value;
}

function checkSignatureForm(field: DerCursor): void {
  const fields = field.enter(tags.sequence);
  field.expectEnd();
  readAlgorithmIdentifier(fields);
  readBitString(fields.read(tags.bitString));
  fields.readOptional(0xa0);
  fields.expectEnd();
}

/** Writes an unsigned OCSPRequest; `certificateIds` are whole CertIDs, one at least. @throws OcspRequestError when a limit is passed */
export function writeOcspRequest({
  certificateIds,
  nonce,
}: {
  readonly certificateIds: readonly Uint8Array[];
  readonly nonce?: Uint8Array | undefined;
}): Uint8Array {
  if (certificateIds.length === 0 || certificateIds.length > maximumRequests) {
    throw new OcspRequestError(`OCSP request: for 1 to ${maximumRequests} certificates`);
  }
  if (nonce !== undefined && (nonce.length === 0 || nonce.length > maximumNonceOctets)) {
    throw new OcspRequestError(`OCSP request: a nonce has 1 to ${maximumNonceOctets} octets`);
  }
  const requestList = sequence(...certificateIds.map((certificateId) => sequence(certificateId)));
  return sequence(nonce === undefined ? sequence(requestList) : sequence(requestList, explicit(2, writeNonce(nonce))));
}

function writeNonce(nonce: Uint8Array): Uint8Array {
  return writeExtensions([{ id: ocspIds.nonce, isCritical: false, value: octetString(nonce) }]);
}
