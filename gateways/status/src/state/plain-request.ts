// Recognizes OCSP requests in the form in which nearly every client writes them: one certificate, no extension, the hash
// with its NULL (RFC 5019 §2.1.1). Everything in it but lengths and serial number is known beforehand, so that it is
// compared instead of read, at a fifth of the cost. What differs in one octet is left to the reader of all requests.

import { type OcspHash, ocspHashes, writeCertificateId } from '@gatehouse/pkix/ocsp/certificate-id';
import type { Issuer } from './publication.ts';

/** What a request of the plain form asks for. */
export type PlainRequest = {
  readonly issuer: Issuer;
  readonly hash: OcspHash;
  /** Lower-case hexadecimal, as everywhere. */
  readonly serialNumber: string;
};

/** Reads a request of the plain form; undefined for any other. */
export type RecognizeRequest = (der: Uint8Array) => PlainRequest | undefined;

/** OCSPRequest, TBSRequest, requestList, Request, reqCert: one SEQUENCE inside of the other. */
const nesting = 5;
const headStart = nesting * 2;

/** Makes what recognizes requests about certificates of these issuers. */
export function createRecognizer(issuers: readonly Issuer[]): RecognizeRequest {
  const known = issuers.flatMap((issuer) => ocspHashes.map((hash) => ({ issuer, hash, head: headOf(issuer, hash) })));
  return (der) => {
    if (!isNested(der)) return undefined;
    for (const { issuer, hash, head } of known) {
      const end = headStart + head.length;
      // A comparison beyond the end throws. The second octet, a length, tells the hashes apart without one of all.
      if (end > der.length || der[headStart + 1] !== head[1] || head.compare(der, headStart, end) !== 0) continue;
      const serialNumber = readSerialNumber(der, end);
      return serialNumber === undefined ? undefined : { issuer, hash, serialNumber };
    }
    return undefined;
  };
}

/** The contents of a CertID up to its serial number. */
function headOf({ certificate }: Issuer, hash: OcspHash): Buffer {
  const withSerialNumber = writeCertificateId(hash, certificate, '01');
  return Buffer.from(withSerialNumber.subarray(2, withSerialNumber.length - 3));
}

function isNested(der: Uint8Array): boolean {
  const { length } = der;
  if (length > 0x7f + 2 || length <= headStart) return false;
  for (let at = 0; at < headStart; at += 2) {
    if (der[at] !== 0x30 || der[at + 1] !== length - at - 2) return false;
  }
  return true;
}

/** The INTEGER that ends the request: positive and minimal (X.690 §8.3.2). */
function readSerialNumber(der: Uint8Array, at: number): string | undefined {
  const first = der[at + 2] ?? 0x80;
  if (der[at] !== 0x02 || at + 2 + (der[at + 1] ?? 0) !== der.length || first >= 0x80) return undefined;
  const hasZero = first === 0 && at + 3 < der.length;
  if (hasZero && (der[at + 3] ?? 0) < 0x80) return undefined;
  return Buffer.from(der.buffer, der.byteOffset, der.length).toString('hex', hasZero ? at + 3 : at + 2);
}
