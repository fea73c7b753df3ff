// How a generated key travels to its client, RFC 7030 §4.4.1: in clear inside of TLS, or encrypted as the CSR asks. The
// choice is made before a key exists. A client that asks for encryption never gets a key in clear.

import type { CertificationRequest } from '@gatehouse/pkix/certification-request';
import type { Identity } from './authenticate.ts';
import type { EstExchange } from './exchange.ts';
import type { EstGate } from './gate.ts';
import { requestedKeyEncryption, selectKeyEncryption } from './key-encryption.ts';
import type { BodyPart } from './multipart.ts';

/** Writes the key's part of the answer. */
export type KeyDelivery = {
  /** @param privateKey PKCS#8, DER; overwritten by the caller afterwards */
  writeKeyPart(privateKey: Uint8Array): Promise<BodyPart>;
};

/** PKCS#8 in clear: TLS is the protection, RFC 7030 §4.4.2. */
const inClear: KeyDelivery = {
  writeKeyPart: async (privateKey) => ({ contentType: 'application/pkcs8', der: privateKey }),
};

/**
 * The delivery that the CSR asks for.
 *
 * @throws {EstError} `malformed` when it asks for an encryption that cannot be done
 * @throws {CoreError} when the keep cannot be asked for the certificate to encrypt to
 */
export async function selectKeyDelivery(
  gate: EstGate,
  exchange: EstExchange,
  identity: Identity,
  request: CertificationRequest,
): Promise<KeyDelivery> {
  const wish = requestedKeyEncryption(request);
  if (wish === undefined) return inClear;
  const encryption = await selectKeyEncryption(gate, exchange, identity, request, wish);
  return { writeKeyPart: async (privateKey) => encryption.encrypt(privateKey) };
}
