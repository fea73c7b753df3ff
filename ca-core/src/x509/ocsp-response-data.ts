// Writes ResponseData (RFC 6960 §4.2.1), the part of an OCSP response that is signed. The version is left out, the
// responder is named by its key, and times have no fractions of a second (RFC 5019 §2.2.4). It says what it is told: which
// status a certificate has is decided elsewhere.
import { crlReasons, isCrlReason } from '@gatehouse/pkix/crl/extensions';
import {
  concat,
  enumerated,
  explicit,
  generalizedTime,
  nullValue,
  octetString,
  sequence,
  wrap,
} from '@gatehouse/pkix/der/writer';
import { type Extension, writeExtensions } from '@gatehouse/pkix/extensions';
import { ocspIds } from '@gatehouse/pkix/object-identifiers';

/** What is said of one certificate. */
export type CertificateStatus =
  | { readonly kind: 'good' }
  /** `reason` is a CRLReason of RFC 5280 §5.3.1; unspecified (0) is left out. */
  | { readonly kind: 'revoked'; readonly at: Date; readonly reason: number }
  | { readonly kind: 'unknown' };

/** One SingleResponse. Fractions of a second are cut from all times. */
export type SingleStatus = {
  /** CertID, DER. */
  readonly certificateId: Uint8Array;
  readonly status: CertificateStatus;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** RFC 6960 §4.4.4: expired certificates are answered for back to here. */
  readonly archiveCutoff?: Date;
};

/** What a ResponseData is made of. */
export type ResponseDataContents = {
  /** SHA-1 of the responder's subjectPublicKey octets: `issuerHashes('sha1', responder).key`. */
  readonly responderKeyHash: Uint8Array;
  readonly producedAt: Date;
  /** One at least, in the order of the request. */
  readonly singles: readonly SingleStatus[];
  /** Octets of the request's nonce (RFC 9654 §2.1). */
  readonly nonce?: Uint8Array;
  /** Whether the responder answers `revoked` for certificates that were never issued (RFC 6960 §4.4.8). */
  readonly isExtendedRevoke?: boolean;
};

/** `[0] IMPLICIT NULL` and `[2] IMPLICIT NULL`, RFC 6960 §4.2.1. */
const good = Uint8Array.of(0x80, 0x00);
const unknown = Uint8Array.of(0x82, 0x00);

const extendedRevoke: Extension = { id: ocspIds.extendedRevoke, isCritical: false, value: nullValue() };

/**
 * Writes the ResponseData.
 *
 * @returns DER, to be signed by the responder's key
 * @throws {RangeError} when the key hash is no SHA-1, there is no single response, or a reason is none that OCSP has
 */
export function writeResponseData(contents: ResponseDataContents): Uint8Array {
  const { responderKeyHash, producedAt, singles, nonce, isExtendedRevoke = false } = contents;
  // RFC 6960 §4.2.1: KeyHash is SHA-1, whatever the CertID uses.
  if (responderKeyHash.length !== 20) throw new RangeError('a responder is named by the SHA-1 of its key');
  if (singles.length === 0) throw new RangeError('a response answers for one certificate at least');
  const extensions: Extension[] = [];
  if (nonce !== undefined) extensions.push({ id: ocspIds.nonce, isCritical: false, value: octetString(nonce) });
  if (isExtendedRevoke) extensions.push(extendedRevoke);
  return sequence(
    explicit(2, octetString(responderKeyHash)),
    generalizedTime(producedAt),
    sequence(...singles.map(writeSingle)),
    extensions.length === 0 ? new Uint8Array(0) : explicit(1, writeExtensions(extensions)),
  );
}

function writeSingle({ certificateId, status, thisUpdate, nextUpdate, archiveCutoff }: SingleStatus): Uint8Array {
  const validity = concat(generalizedTime(thisUpdate), explicit(0, generalizedTime(nextUpdate)));
  if (archiveCutoff === undefined) return sequence(certificateId, writeStatus(status), validity);
  const cutoff: Extension = { id: ocspIds.archiveCutoff, isCritical: false, value: generalizedTime(archiveCutoff) };
  return sequence(certificateId, writeStatus(status), validity, explicit(1, writeExtensions([cutoff])));
}

function writeStatus(status: CertificateStatus): Uint8Array {
  switch (status.kind) {
    case 'good':
      return good;
    case 'unknown':
      return unknown;
    case 'revoked': {
      const { at, reason } = status;
      // RFC 5280 §5.3.1: removeFromCRL stands in delta CRLs only.
      if (!isCrlReason(reason) || reason === crlReasons.removeFromCRL) {
        throw new RangeError(`${reason} is not a reason for a revocation`);
      }
      const revocationTime = generalizedTime(at);
      return reason === 0 ? wrap(0xa1, revocationTime) : wrap(0xa1, revocationTime, explicit(0, enumerated(reason)));
    }
  }
}
