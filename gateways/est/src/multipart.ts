// The body of a serverkeygen answer, RFC 7030 §4.4.2: multipart/mixed with the private key first, then the certificate,
// each in base64 on one line. No Content-Transfer-Encoding is sent (RFC 8951 §3), and the boundary is random.

import { randomBytes } from 'node:crypto';
import { encodeBody } from '@gatehouse/pkix/transfer-encoding';

/** One part: a media type and DER. */
export type BodyPart = { readonly contentType: string; readonly der: Uint8Array };

/** Puts the answer together. @param certificates certs-only CMS, DER */
export function writeKeyAndCertificate(
  keyPart: BodyPart,
  certificates: Uint8Array,
): { readonly contentType: string; readonly body: string } {
  // No base64 line begins with "--", so the boundary cannot occur in a part.
  const boundary = `gatehouse-${randomBytes(18).toString('hex')}`;
  const parts: readonly BodyPart[] = [
    keyPart,
    { contentType: 'application/pkcs7-mime; smime-type=certs-only', der: certificates },
  ];
  const written = parts.map(
    ({ contentType, der }) => `--${boundary}\r\nContent-Type: ${contentType}\r\n\r\n${encodeBody(der)}\r\n`,
  );
  return { contentType: `multipart/mixed; boundary=${boundary}`, body: `${written.join('')}--${boundary}--\r\n` };
}
