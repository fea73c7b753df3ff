// Which bits of keyUsage a key of each kind may carry. A profile says what its certificates are for; the subject key says
// which part of that it can do. A certificate must never allow a use that its key's own RFC forbids.
import type { KeyUsage } from '@gatehouse/pkix/extensions';
import type { PublicKeyDescription } from '@gatehouse/pkix/public-key';

/** The kinds of subject key that are certified. */
export type KeyKind = Exclude<PublicKeyDescription['kind'], 'unsupported'>;

const signing: readonly KeyUsage[] = ['digitalSignature', 'nonRepudiation', 'keyCertSign', 'cRLSign'];

/** Bits that a key of this kind may carry. */
export const usableKeyUsage: Readonly<Record<KeyKind, readonly KeyUsage[]>> = {
  // RFC 5480 §3: id-ecPublicKey agrees on keys and signs; it does not encipher.
  ec: [...signing, 'keyAgreement', 'encipherOnly', 'decipherOnly'],
  // RFC 3279 §2.3.1: rsaEncryption signs and enciphers; it does not agree on keys.
  rsa: [...signing, 'keyEncipherment', 'dataEncipherment'],
  // RFC 8410 §5: Ed25519 only signs.
  ed25519: signing,
  // RFC 9881 §5: ML-DSA only signs.
  'ml-dsa': signing,
};

/** The keyUsage of a certificate for a key of this kind; empty when nothing of what the profile wants can be done with it. */
export function keyUsageFor(
  kind: KeyKind,
  wanted: { readonly keyUsage: readonly KeyUsage[]; readonly rsaKeyUsage: readonly KeyUsage[] },
): readonly KeyUsage[] {
  const names = new Set(kind === 'rsa' ? [...wanted.keyUsage, ...wanted.rsaKeyUsage] : wanted.keyUsage);
  return usableKeyUsage[kind].filter((name) => names.has(name));
}
