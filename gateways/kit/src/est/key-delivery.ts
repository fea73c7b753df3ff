// How a generated key travels to its client, RFC 7030 §4.4.1: in clear inside of TLS or DTLS, or encrypted as the CSR asks. The
// choice is made before a key exists. A client that asks for encryption never gets a key in clear.

import type { CertificationRequest } from '@gatehouse/pkix/certification-request';
import type { EnrollmentExchange } from './exchange.ts';
import type { EnrollmentGate } from './gate.ts';
import type { Identity } from './identity.ts';
import { requestedKeyEncryption, selectKeyEncryption } from './key-encryption.ts';

/** A generated key as it travels: PKCS#8 in clear, or CMS around an AsymmetricKeyPackage; DER. */
export type GeneratedKey = { readonly isEncrypted: boolean; readonly der: Uint8Array };

/** Writes the key's part of the answer. */
export type KeyDelivery = {
  /** @param privateKey PKCS#8, DER; overwritten by the caller afterwards */
  writeKeyPart(privateKey: Uint8Array): Promise<GeneratedKey>;
};

/** PKCS#8 in clear: the connection is the protection, RFC 7030 §4.4.2. */
const inClear: KeyDelivery = {
  // A copy: what travels is its carrier's to overwrite.
  writeKeyPart: async (privateKey) => ({ isEncrypted: false, der: Uint8Array.from(privateKey) }),
};

/**
 * The delivery that the CSR asks for.
 *
 * @throws {EstError} `malformed` when it asks for an encryption that cannot be done
 * @throws {CoreError} when the keep cannot be asked for the certificate to encrypt to
 */
export async function selectKeyDelivery(
  gate: EnrollmentGate,
  exchange: EnrollmentExchange,
  identity: Identity,
  request: CertificationRequest,
): Promise<KeyDelivery> {
  const wish = requestedKeyEncryption(request);
  if (wish === undefined) return inClear;
  const encryption = await selectKeyEncryption(gate, exchange, identity, request, wish);
  return { writeKeyPart: async (privateKey) => ({ isEncrypted: true, der: encryption.encrypt(privateKey) }) };
}
