// The unique identifier of a certificate, RFC 9773 §4.1: base64url of its authority key identifier, a period, base64url of
// the contents octets of its serial number. Every certificate has exactly one spelling; all others are no identifier.

import { type Certificate, extensionOf } from '@gatehouse/pkix/certificate';
import { readAuthorityKeyIdentifier } from '@gatehouse/pkix/extensions';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';

/** A key identifier is a digest; no digest is longer. */
const maximumKeyIdentifierOctets = 64;

/** RFC 5280 §4.1.2.2: 20 octets, and the zero octet that keeps the number positive. */
const maximumSerialNumberOctets = 21;

const form = /^([A-Za-z0-9_-]{1,88})\.([A-Za-z0-9_-]{1,30})$/;

/** What an identifier says. */
export type CertificateIdParts = {
  readonly keyIdentifier: Uint8Array;
  /** Lower-case hexadecimal without the zero octet that keeps the number positive: as the keep names certificates. */
  readonly serialNumber: string;
};

/** Takes an identifier apart; undefined for what is none. */
export function parseCertificateId(text: string): CertificateIdParts | undefined {
  const [, first, second] = form.exec(text) ?? [];
  if (first === undefined || second === undefined) return undefined;
  const keyIdentifier = decode(first);
  const serialNumber = decode(second);
  if (keyIdentifier === undefined || keyIdentifier.length > maximumKeyIdentifierOctets) return undefined;
  if (serialNumber === undefined || serialNumber.length > maximumSerialNumberOctets) return undefined;
  const [sign = 0, next] = serialNumber;
  // X.690 §8.3.2: no octet more than the number needs; a serial number is positive.
  if (sign >= 0x80 || (sign === 0 && (next ?? 0) < 0x80)) return undefined;
  return { keyIdentifier, serialNumber: serialNumber.subarray(sign === 0 ? 1 : 0).toString('hex') };
}

/** The identifier of a certificate; undefined when it does not name the key of its issuer. */
export function certificateIdOf(certificate: Certificate): string | undefined {
  const extension = extensionOf(certificate, extensionIds.authorityKeyIdentifier);
  const keyIdentifier = extension === undefined ? undefined : readAuthorityKeyIdentifier(extension.value);
  if (keyIdentifier === undefined) return undefined;
  const magnitude = Buffer.from(certificate.serialNumber, 'hex');
  // RFC 9773 §4.1: the octets of the encoding, a leading zero octet among them.
  const contents = (magnitude[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), magnitude]) : magnitude;
  return `${Buffer.from(keyIdentifier).toString('base64url')}.${contents.toString('base64url')}`;
}

/** Octets of unpadded base64url without bits that are thrown away (RFC 4648 §3.5). */
function decode(text: string): Buffer | undefined {
  const octets = Buffer.from(text, 'base64url');
  return octets.length > 0 && octets.toString('base64url') === text ? octets : undefined;
}
