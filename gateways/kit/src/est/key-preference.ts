// The key that a profile likes best, as csrattrs announces it and as serverkeygen makes it. One table for both, so that
// what is asked of clients is what the gate itself would do.

import { bitString, concat, integer, nullValue, objectIdentifier, sequence, setOf } from '@gatehouse/pkix/der/writer';
import { algorithms } from '@gatehouse/pkix/object-identifiers';
import type { KeyRule, Profile } from '@gatehouse/ra-client/profile';

/** A key that can be asked for and made. */
export type KeyPreference =
  | {
      readonly kind: 'ec';
      readonly curve: 'P-256' | 'P-384' | 'P-521';
      readonly parameters: string;
      readonly algorithm: string;
      readonly signatureAlgorithm: string;
    }
  | { readonly kind: 'rsa'; readonly bits: number; readonly algorithm: string; readonly signatureAlgorithm: string }
  | {
      readonly kind: 'plain';
      readonly nodeType: PlainKeyType;
      readonly algorithm: string;
      readonly signatureAlgorithm: string;
    };

/** Kinds of keys without parameters, as node:crypto calls them. */
export type PlainKeyType = 'ed25519' | 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87';

// RFC 5480 §2.1.1 and RFC 5758 §3.2: the hash that fits the curve.
const curves: Readonly<Record<string, KeyPreference>> = {
  'P-256': curve('P-256', algorithms.secp256r1, algorithms.ecdsaWithSHA256),
  'P-384': curve('P-384', algorithms.secp384r1, algorithms.ecdsaWithSHA384),
  'P-521': curve('P-521', algorithms.secp521r1, algorithms.ecdsaWithSHA512),
};

// RFC 8410 §3, RFC 9881 §2: one object identifier names key and signature, without parameters.
const plainKeys: Readonly<Record<string, KeyPreference>> = {
  'ML-DSA-44': plain('ml-dsa-44', algorithms.mlDsa44),
  'ML-DSA-65': plain('ml-dsa-65', algorithms.mlDsa65),
  'ML-DSA-87': plain('ml-dsa-87', algorithms.mlDsa87),
};

/** Smallest RSA key that is asked for. */
const minimumRsaBits = 2048;

/** All keys that the profile accepts, best first. For RSA only the smallest size is one of them. */
export function acceptableKeys(profile: Profile): readonly KeyPreference[] {
  return profile.keys.flatMap(preferencesOf);
}

/** The key that the profile likes best; undefined when it is of a kind that cannot be asked for. */
export function preferredKey(profile: Profile): KeyPreference | undefined {
  return acceptableKeys(profile)[0];
}

/** The attribute of RFC 9908 §3.2: type of the key, and its curve or size where it has one. */
export function keyAttribute(key: KeyPreference): Uint8Array {
  const values = key.kind === 'ec' ? [objectIdentifier(key.parameters)] : key.kind === 'rsa' ? [integer(key.bits)] : [];
  return sequence(objectIdentifier(key.algorithm), setOf(values));
}

/** Contents of SubjectPublicKeyInfoTemplate, RFC 9908 §3.4: a key is there for RSA alone, as the only way to tell its size. */
export function publicKeyTemplate(key: KeyPreference): Uint8Array {
  switch (key.kind) {
    case 'ec':
      return concat(sequence(objectIdentifier(key.algorithm), objectIdentifier(key.parameters)));
    case 'rsa':
      return concat(sequence(objectIdentifier(key.algorithm), nullValue()), bitString(placeholderRsaKey(key.bits)));
    case 'plain':
      return concat(sequence(objectIdentifier(key.algorithm)));
  }
}

// A modulus of the right length that nobody can take for a key: 2^(bits-1).
function placeholderRsaKey(bits: number): Uint8Array {
  return sequence(integer(2n ** BigInt(bits - 1)), integer(65_537));
}

function preferencesOf({ kind, parameters, minimumBits }: KeyRule): readonly KeyPreference[] {
  switch (kind) {
    case 'ec':
      return parameters.flatMap((name) => curves[name] ?? []);
    case 'rsa':
      return [
        {
          kind: 'rsa',
          bits: Math.max(minimumBits, minimumRsaBits),
          algorithm: algorithms.rsaEncryption,
          signatureAlgorithm: algorithms.sha256WithRSAEncryption,
        },
      ];
    case 'ed25519':
      return [plain('ed25519', algorithms.ed25519)];
    case 'ml-dsa':
      return parameters.flatMap((name) => plainKeys[name] ?? []);
    default:
      return [];
  }
}

function curve(name: 'P-256' | 'P-384' | 'P-521', parameters: string, signatureAlgorithm: string): KeyPreference {
  return { kind: 'ec', curve: name, parameters, algorithm: algorithms.ecPublicKey, signatureAlgorithm };
}

function plain(nodeType: PlainKeyType, algorithm: string): KeyPreference {
  return { kind: 'plain', nodeType, algorithm, signatureAlgorithm: algorithm };
}
