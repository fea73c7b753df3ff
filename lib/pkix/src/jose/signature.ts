// Signatures and MACs of JWS (RFC 7518 §3, RFC 8037 §3.1) on node:crypto. `none` does not exist here, and a public key
// is never a MAC's secret: MACs have a function of their own.

import { constants, createHmac, timingSafeEqual, verify } from 'node:crypto';
import { JoseError } from './error.ts';
import type { KeyKind, PublicJwk } from './jwk.ts';

/** Values of `alg` that are accepted for signatures; Ed25519 is the newer name of EdDSA with that curve (RFC 9864). */
export type SignatureAlgorithmName = 'ES256' | 'ES384' | 'ES512' | 'EdDSA' | 'Ed25519' | 'RS256';

type Algorithm = {
  readonly keyKind: KeyKind;
  readonly digest: string | null;
  readonly input: { readonly dsaEncoding?: 'ieee-p1363'; readonly padding?: number };
  /** Octets of a signature; RSA signatures are as long as the modulus, which node:crypto checks. */
  readonly octets?: number;
};

/** RFC 7518 §3.1: each algorithm with the one kind of key that it is for. */
export const signatureAlgorithms: Readonly<Record<SignatureAlgorithmName, Algorithm>> = {
  ES256: { keyKind: 'P-256', digest: 'sha256', input: { dsaEncoding: 'ieee-p1363' }, octets: 64 },
  ES384: { keyKind: 'P-384', digest: 'sha384', input: { dsaEncoding: 'ieee-p1363' }, octets: 96 },
  ES512: { keyKind: 'P-521', digest: 'sha512', input: { dsaEncoding: 'ieee-p1363' }, octets: 132 },
  EdDSA: { keyKind: 'Ed25519', digest: null, input: {}, octets: 64 },
  Ed25519: { keyKind: 'Ed25519', digest: null, input: {}, octets: 64 },
  RS256: { keyKind: 'RSA', digest: 'sha256', input: { padding: constants.RSA_PKCS1_PADDING } },
};

/** By which algorithm a key of a kind signs here. */
export const preferredAlgorithms: Readonly<Record<KeyKind, SignatureAlgorithmName>> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  Ed25519: 'EdDSA',
  RSA: 'RS256',
};

/** What RFC 8555 §6.2 has a server list when it refuses an algorithm. */
export const signatureAlgorithmNames: readonly string[] = Object.keys(signatureAlgorithms);

/** What {@link verifyJws} verifies: members of a Jws and its header. */
export type JwsToVerify = {
  readonly alg: string;
  readonly key: Pick<PublicJwk, 'kind' | 'key'>;
  readonly signingInput: Uint8Array;
  readonly signature: Uint8Array;
};

/**
 * Whether the signature is by this key.
 *
 * @throws {JoseError} `bad-algorithm` when `alg` is not accepted or does not fit the key
 */
export function verifyJws({ alg, key, signingInput, signature }: JwsToVerify): boolean {
  const algorithm = isSignatureAlgorithm(alg) ? signatureAlgorithms[alg] : undefined;
  if (algorithm === undefined) {
    throw new JoseError('bad-algorithm', `the algorithm '${alg.slice(0, 32)}' is not accepted for signatures`);
  }
  // RFC 7515 §10.6, §10.7: the key says what it is for, not the message.
  if (algorithm.keyKind !== key.kind) {
    throw new JoseError('bad-algorithm', `the algorithm ${alg} does not fit a ${key.kind} key`);
  }
  if (algorithm.octets !== undefined && signature.length !== algorithm.octets) return false;
  return verify(algorithm.digest, signingInput, { ...algorithm.input, key: key.key }, signature);
}

function isSignatureAlgorithm(alg: string): alg is SignatureAlgorithmName {
  return Object.hasOwn(signatureAlgorithms, alg);
}

/** RFC 7518 §3.2. */
const hmacDigests: ReadonlyMap<string, { readonly digest: string; readonly octets: number }> = new Map([
  ['HS256', { digest: 'sha256', octets: 32 }],
  ['HS384', { digest: 'sha384', octets: 48 }],
  ['HS512', { digest: 'sha512', octets: 64 }],
]);

/** Values of `alg` that are accepted for MACs. */
export const hmacAlgorithmNames: readonly string[] = [...hmacDigests.keys()];

/** What {@link verifyHmacJws} verifies. */
export type HmacJwsToVerify = {
  readonly alg: string;
  readonly secret: Uint8Array;
  readonly signingInput: Uint8Array;
  readonly signature: Uint8Array;
};

/**
 * Whether the MAC was made with this secret (RFC 8555 §7.3.4: external account binding).
 *
 * @throws {JoseError} `bad-algorithm` when `alg` is no HMAC
 */
export function verifyHmacJws({ alg, secret, signingInput, signature }: HmacJwsToVerify): boolean {
  const algorithm = hmacDigests.get(alg);
  if (algorithm === undefined) {
    throw new JoseError('bad-algorithm', `the algorithm '${alg.slice(0, 32)}' is not accepted for MACs`);
  }
  const mac = createHmac(algorithm.digest, secret).update(signingInput).digest();
  return signature.length === algorithm.octets && timingSafeEqual(mac, signature);
}
