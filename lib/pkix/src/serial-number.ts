// Serial numbers of certificates where other structures name them (RFC 5280 §4.1.2.2): requests for a status, and CRLs.
import { type DerElement, DerError, readInteger } from './der/reader.ts';

/**
 * Contents octets of a CertificateSerialNumber in lower-case hexadecimal, without the zero octet that keeps it positive.
 *
 * @throws DerError when it is no INTEGER, or negative: without its sign, -1 would read as 255, which is another certificate
 */
export function readSerialNumber(element: DerElement): string {
  const contents = readInteger(element);
  if ((contents[0] ?? 0) > 0x7f) throw new DerError('a serial number is negative');
  const magnitude = contents.length > 1 && contents[0] === 0 ? contents.subarray(1) : contents;
  return Buffer.from(magnitude.buffer, magnitude.byteOffset, magnitude.length).toString('hex');
}
