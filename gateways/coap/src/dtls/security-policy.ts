// Which parameters of DTLS are strong enough: security level 2 of OpenSSL (112 bits) stated anew, because node:ffi cannot
// chain OpenSSL's own callback, with one suite let through. RFC 9148 §3 makes TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8
// mandatory; OpenSSL counts its 64-bit tag as 64 bits of strength and refuses it at every level above 0.

/** Suites in OpenSSL's names; the client's order decides among them (RFC 7925 §4.2, RFC 7251). */
export const cipherList =
  'ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-CCM:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384';

/** RFC 7925 §4.2 and §9. */
export const groupList = 'P-256:P-384';

/** Devices' certificates may be RSA (IEEE 802.1AR §6.2); SHA-1 is never offered. */
export const signatureAlgorithmList =
  'ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:RSA+SHA256:RSA+SHA384:RSA+SHA512';

/** DTLS 1.2 on the wire (RFC 6347 §4.1). */
export const dtls12 = 0xfefd;

/** OpenSSL's level whose rules {@link isAllowed} states. */
export const securityLevel = 2;

const leastBits = 112;
const ccm8Id = 0x0300c0ae;

// SSL_SECOP_* of openssl/ssl.h.
const version = 9;
const ticket = 10;
const compression = 15;
const cipherOperations: ReadonlySet<number> = new Set([0x10001, 0x10002, 0x10003]);

/**
 * Whether OpenSSL may use something.
 *
 * @param operation what it is about (SSL_SECOP_…)
 * @param bits of strength
 * @param nid OpenSSL's number of the thing; the protocol version where it is about that
 * @param cipherId called for the suite's id where it is about a suite
 */
export function isAllowed(operation: number, bits: number, nid: number, cipherId: () => number): boolean {
  if (cipherOperations.has(operation)) return bits >= leastBits || cipherId() === ccm8Id;
  if (operation === version) return nid === dtls12;
  if (operation === ticket || operation === compression) return false;
  return bits >= leastBits;
}
