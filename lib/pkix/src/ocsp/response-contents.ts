// OCSP responses as they come in (RFC 6960 §4.2), for whoever asks a responder. Reading checks structure and bounds and
// refuses critical extensions nobody knows; whether the responder may speak, and for how long its word holds, is for
// verify-response.ts.
import { type Certificate, CertificateError, readCertificate } from '../certificate.ts';
import { crlReasons, readReasonCode } from '../crl/extensions.ts';
import {
  type DerCursor,
  DerError,
  open,
  readBitString,
  readNull,
  readObjectIdentifier,
  readOctetString,
  readOnly,
  readSmallInteger,
  readTime,
  tags,
} from '../der/reader.ts';
import { PkixError } from '../errors.ts';
import { type Extension, findExtension, readExtensions } from '../extensions.ts';
import { type Name, NameError, readName } from '../names.ts';
import { ocspIds } from '../object-identifiers.ts';
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from '../signature-algorithms.ts';
import { type CertificateId, readCertificateId } from './certificate-id.ts';
import { type OcspErrorStatus, ocspResponseStatuses } from './response.ts';

/** Largest response that is read, in octets. */
export const maximumResponseOctets = 65536;

/** Who signed, by key (SHA-1 of its octets) or by name (RFC 6960 §4.2.1). */
export type ResponderId =
  | { readonly kind: 'by-key'; readonly keyHash: Uint8Array }
  | { readonly kind: 'by-name'; readonly name: Name };

/** What is said of one certificate (RFC 6960 §2.2); `reason` is a CRLReason, 0 when none is given. */
export type SingleResponseStatus =
  | { readonly kind: 'good' }
  | { readonly kind: 'revoked'; readonly at: Date; readonly reason: number }
  | { readonly kind: 'unknown' };

/** One SingleResponse. */
export type SingleResponse = {
  readonly certificateId: CertificateId;
  readonly status: SingleResponseStatus;
  readonly thisUpdate: Date;
  /** Without it newer information is always there (RFC 6960 §4.2.2.1). */
  readonly nextUpdate: Date | undefined;
  /** RFC 6960 §4.4.4. */
  readonly archiveCutoff: Date | undefined;
  readonly extensions: readonly Extension[];
};

/** A BasicOCSPResponse whose structure is right. All bytes are views of what was read. */
export type BasicOcspResponse = {
  readonly status: 'successful';
  /** ResponseData, DER: what was signed. */
  readonly responseData: Uint8Array;
  readonly responderId: ResponderId;
  readonly producedAt: Date;
  /** One at least. */
  readonly singles: readonly SingleResponse[];
  /** RFC 9654 §2.1, without any wrapping. */
  readonly nonce: Uint8Array | undefined;
  readonly extensions: readonly Extension[];
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
  readonly certificates: readonly Certificate[];
};

/** An OCSP response: an answer, or the status that stands for none. */
export type OcspResponseContents = BasicOcspResponse | { readonly status: OcspErrorStatus };

/** Bytes that are no OCSP response, or one that cannot be understood. */
export class OcspResponseError extends PkixError {
  readonly code = 'malformed';
}

/** Reads an OCSPResponse of at most {@link maximumResponseOctets} octets; the signature is not verified. @throws OcspResponseError */
export function readOcspResponse(der: Uint8Array): OcspResponseContents {
  if (der.length > maximumResponseOctets) {
    throw new OcspResponseError(`OCSP response: ${der.length} octets where ${maximumResponseOctets} are allowed`);
  }
  try {
    return read(der);
  } catch (cause) {
    if (cause instanceof DerError || cause instanceof NameError || cause instanceof CertificateError) {
      throw new OcspResponseError(`OCSP response: ${cause.detail}`, { cause });
    }
    throw cause;
  }
}

const errorStatuses: ReadonlyMap<number, OcspErrorStatus> = new Map([
  [ocspResponseStatuses.malformedRequest, 'malformedRequest'],
  [ocspResponseStatuses.internalError, 'internalError'],
  [ocspResponseStatuses.tryLater, 'tryLater'],
  [ocspResponseStatuses.sigRequired, 'sigRequired'],
  [ocspResponseStatuses.unauthorized, 'unauthorized'],
]);

function read(der: Uint8Array): OcspResponseContents {
  const outer = open(der, tags.sequence);
  const statusValue = readSmallInteger(outer.read(tags.enumerated));
  const bytesField = outer.enterOptional(0xa0);
  outer.expectEnd();
  if (statusValue !== ocspResponseStatuses.successful) {
    const status = errorStatuses.get(statusValue);
    if (status === undefined) throw new DerError(`response status ${statusValue} is unknown`);
    // RFC 6960 §4.2.1: an error has no responseBytes; what stands there has no meaning.
    return { status };
  }
  if (bytesField === undefined) throw new DerError('a successful response has no response bytes');
  const responseBytes = bytesField.enter(tags.sequence);
  bytesField.expectEnd();
  const type = readObjectIdentifier(responseBytes.read(tags.objectIdentifier));
  if (type !== ocspIds.basic) throw new DerError(`response type ${type} is unknown`);
  const response = readOctetString(responseBytes.read(tags.octetString));
  responseBytes.expectEnd();
  return readBasicResponse(response);
}

function readBasicResponse(der: Uint8Array): BasicOcspResponse {
  const outer = open(der, tags.sequence);
  const responseData = outer.read(tags.sequence).raw;
  const signatureAlgorithm = readAlgorithmIdentifier(outer);
  const { unusedBits, bytes: signature } = readBitString(outer.read(tags.bitString));
  const certificatesField = outer.enterOptional(0xa0);
  outer.expectEnd();
  if (unusedBits !== 0) throw new DerError('the signature does not fill its last octet');
  const certificates: Certificate[] = [];
  if (certificatesField !== undefined) {
    const list = certificatesField.enter(tags.sequence);
    certificatesField.expectEnd();
    while (!list.isAtEnd) certificates.push(readCertificate(list.read(tags.sequence).raw));
  }
  return {
    status: 'successful',
    responseData,
    ...readResponseData(responseData),
    signatureAlgorithm,
    signature,
    certificates,
  };
}

function readResponseData(
  der: Uint8Array,
): Pick<BasicOcspResponse, 'responderId' | 'producedAt' | 'singles' | 'nonce' | 'extensions'> {
  const fields = open(der, tags.sequence);
  const version = fields.enterOptional(0xa0);
  if (version !== undefined) {
    // X.690 §11.5 forbids to write the default; some responders do.
    if (readSmallInteger(version.read(tags.integer)) !== 0) throw new DerError('the version is unknown');
    version.expectEnd();
  }
  const responderId = readResponderId(fields);
  const producedAt = readTime(fields.read(tags.generalizedTime));
  const list = fields.enter(tags.sequence);
  const extensions = readKnownExtensions(fields.enterOptional(0xa1), responseExtensions);
  fields.expectEnd();
  const singles: SingleResponse[] = [];
  do singles.push(readSingle(list.enter(tags.sequence)));
  while (!list.isAtEnd);
  const nonce = findExtension(extensions, ocspIds.nonce);
  return {
    responderId,
    producedAt,
    singles,
    nonce: nonce && readOctetString(readOnly(nonce.value, tags.octetString)),
    extensions,
  };
}

function readResponderId(fields: DerCursor): ResponderId {
  const byName = fields.enterOptional(0xa1);
  if (byName !== undefined) {
    const name = readName(byName.read(tags.sequence));
    byName.expectEnd();
    return { kind: 'by-name', name };
  }
  const byKey = fields.enter(0xa2);
  const keyHash = readOctetString(byKey.read(tags.octetString));
  byKey.expectEnd();
  return { kind: 'by-key', keyHash };
}

function readSingle(fields: DerCursor): SingleResponse {
  const certificateId = readCertificateId(fields.read(tags.sequence));
  const status = readStatus(fields);
  const thisUpdate = readTime(fields.read(tags.generalizedTime));
  const nextField = fields.enterOptional(0xa0);
  const nextUpdate = nextField && readTime(nextField.read(tags.generalizedTime));
  nextField?.expectEnd();
  const extensions = readKnownExtensions(fields.enterOptional(0xa1), singleExtensions);
  fields.expectEnd();
  const cutoff = findExtension(extensions, ocspIds.archiveCutoff);
  const archiveCutoff = cutoff && readTime(readOnly(cutoff.value, tags.generalizedTime));
  return { certificateId, status, thisUpdate, nextUpdate, archiveCutoff, extensions };
}

function readStatus(fields: DerCursor): SingleResponseStatus {
  const revoked = fields.enterOptional(0xa1);
  if (revoked !== undefined) {
    const at = readTime(revoked.read(tags.generalizedTime));
    const reasonField = revoked.enterOptional(0xa0);
    revoked.expectEnd();
    const reason =
      reasonField === undefined ? crlReasons.unspecified : readReasonCode(reasonField.read(tags.enumerated).raw);
    reasonField?.expectEnd();
    return { kind: 'revoked', at, reason };
  }
  const status = fields.read();
  // The tags are implicit over NULL.
  if (status.tag !== 0x80 && status.tag !== 0x82) throw new DerError('a certificate status is unknown');
  readNull(status);
  return { kind: status.tag === 0x80 ? 'good' : 'unknown' };
}

const responseExtensions = new Set<string>([ocspIds.nonce, ocspIds.extendedRevoke]);
const singleExtensions = new Set<string>([ocspIds.archiveCutoff]);

// RFC 6960 §4.4: unknown extensions are ignored, unless they are critical.
function readKnownExtensions(field: DerCursor | undefined, known: ReadonlySet<string>): readonly Extension[] {
  if (field === undefined) return [];
  const extensions = readExtensions(field.read(tags.sequence));
  field.expectEnd();
  const unknown = extensions.find(({ id, isCritical }) => isCritical && !known.has(id));
  if (unknown !== undefined) throw new DerError(`critical extension ${unknown.id} is not processed`);
  return extensions;
}
