// The content formats that the gate knows, RFC 7252 §12.3 with RFC 9148 §8.1: the IANA registry's numbers under one name each.

/** Content format numbers. */
export const contentFormats = {
  /** text/plain; charset=utf-8, RFC 7252 §12.3: diagnostic payloads are this without saying so (§5.5.2). */
  text: 0,
  /** application/link-format, RFC 6690 §4. */
  linkFormat: 40,
  /** application/multipart-core, RFC 8710 §5. */
  multipart: 62,
  /** application/pkcs7-mime; smime-type=server-generated-key, RFC 9148 §8.1: a key that is encrypted for the client. */
  serverGeneratedKey: 280,
  /** application/pkcs7-mime; smime-type=certs-only, RFC 9148 §8.1. */
  certificatesOnly: 281,
  /** application/pkcs8, RFC 9148 §8.1: a key in the clear. */
  privateKey: 284,
  /** application/csrattrs, RFC 9148 §8.1. */
  csrAttributes: 285,
  /** application/pkcs10, RFC 9148 §8.1. */
  certificationRequest: 286,
  /** application/pkix-cert, RFC 9148 §8.1. */
  certificate: 287,
} as const;

/** A number of {@link contentFormats}. */
export type ContentFormat = (typeof contentFormats)[keyof typeof contentFormats];
