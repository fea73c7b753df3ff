// Public keys as JWK (RFC 7517, RFC 7518 §6, RFC 8037 §2), read strictly: one text for one key, so that a key has one
// thumbprint (RFC 7638), and no key that anybody can break. A private key is refused by name, never stored or logged.

import { createHash, createPublicKey, type KeyObject, type webcrypto } from 'node:crypto';
import { judgeEdwardsPoint } from '../weak-keys/edwards-point.ts';
import { judgeRsaFactors, judgeRsaNumbers } from '../weak-keys/rsa.ts';
import { decodeBase64url } from './base64url.ts';
import { canonicalJson } from './canonical-json.ts';
import { JoseError } from './error.ts';

/** What algorithms distinguish. */
export type KeyKind = 'P-256' | 'P-384' | 'P-521' | 'RSA' | 'Ed25519';

/** The members that RFC 7638 §3.2 and RFC 8037 §2 require of a key, and none else. */
export type JwkMembers =
  | { readonly kty: 'EC'; readonly crv: 'P-256' | 'P-384' | 'P-521'; readonly x: string; readonly y: string }
  | { readonly kty: 'RSA'; readonly n: string; readonly e: string }
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string };

/** A public key that may be used. */
export type PublicJwk = {
  readonly kind: KeyKind;
  readonly jwk: JwkMembers;
  /** To verify with: making it costs as much as a verification, so keep it. */
  readonly key: KeyObject;
  /** RFC 7638 with SHA-256, base64url. */
  readonly thumbprint: string;
};

/** RFC 7518 §6.2.2, §6.3.2, §6.4.1: members of private and symmetric keys. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

const coordinateOctets = { 'P-256': 32, 'P-384': 48, 'P-521': 66 } as const;
const minimumRsaBits = 2048;
/** A verification takes time with the square of this. */
const maximumRsaBits = 8192;

/**
 * Reads a public key. Members that say something about its use are passed over (RFC 7517 §4).
 *
 * @param value parsed JSON
 * @throws {JoseError} `malformed`; `private-key` when it is more than public; `bad-key` when its kind is not accepted or
 * it is weak
 */
export function readJwk(value: unknown): PublicJwk {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new JoseError('malformed', 'the JWK is not a JSON object');
  }
  const members: Readonly<Record<string, unknown>> = { ...value };
  const secret = privateMembers.find((name) => Object.hasOwn(members, name));
  if (secret !== undefined) throw new JoseError('private-key', `the JWK has '${secret}': it is not a public key`);
  const jwk = readMembers(members);
  return { kind: jwk.kty === 'RSA' ? 'RSA' : jwk.crv, jwk, key: toKeyObject(jwk), thumbprint: jwkThumbprint(jwk) };
}

/** RFC 7638 §3 with SHA-256, base64url. */
export function jwkThumbprint(jwk: JwkMembers): string {
  return createHash('sha256').update(canonicalJson(jwk)).digest('base64url');
}

/**
 * The JWK of a key of this process or of a SubjectPublicKeyInfo (DER).
 *
 * @throws {JoseError} as {@link readJwk}
 */
export function jwkOfKey(key: KeyObject | Uint8Array): PublicJwk {
  const { kty, crv, x, y, n, e } = exportKey(key);
  return readJwk(kty === 'RSA' ? { kty, n, e } : { kty, crv, x, ...(y === undefined ? {} : { y }) });
}

function exportKey(key: KeyObject | Uint8Array): webcrypto.JsonWebKey {
  try {
    if (!(key instanceof Uint8Array))
      return (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
    return createPublicKey({ key: Buffer.from(key), format: 'der', type: 'spki' }).export({ format: 'jwk' });
  } catch (cause) {
    throw new JoseError('bad-key', 'the key has no form as a JWK', { cause });
  }
}

function readMembers(members: Readonly<Record<string, unknown>>): JwkMembers {
  const { kty, crv } = members;
  switch (kty) {
    case 'EC': {
      if (crv !== 'P-256' && crv !== 'P-384' && crv !== 'P-521') throw unsupported('curve', crv);
      const octets = coordinateOctets[crv];
      return { kty, crv, x: readText(members, 'x', octets), y: readText(members, 'y', octets) };
    }
    case 'RSA':
      return readRsa(members);
    case 'OKP': {
      if (crv !== 'Ed25519') throw unsupported('curve', crv);
      return { kty, crv, x: readText(members, 'x', 32) };
    }
    default:
      if (typeof kty !== 'string') throw new JoseError('malformed', "the JWK has no 'kty'");
      throw unsupported('key type', kty);
  }
}

function unsupported(what: string, value: unknown): JoseError {
  const name = typeof value === 'string' ? ` '${value.slice(0, 32)}'` : '';
  const accepted = 'EC P-256, P-384 and P-521, RSA, Ed25519';
  return new JoseError('bad-key', `the JWK has a ${what}${name} that is not accepted; accepted: ${accepted}`);
}

function readText(members: Readonly<Record<string, unknown>>, name: string, octets: number): string {
  const text = members[name];
  const length = typeof text === 'string' ? decodeBase64url(text)?.length : undefined;
  // RFC 7518 §6.2.1.2: leading zeros are kept, so the length is that of the field.
  if (typeof text !== 'string' || length !== octets) {
    throw new JoseError('malformed', `'${name}' of the JWK is not base64url of ${octets} octets`);
  }
  return text;
}

function readRsa(members: Readonly<Record<string, unknown>>): JwkMembers {
  const [n, modulus] = readNumber(members, 'n');
  const [e, exponent] = readNumber(members, 'e');
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  // The size comes first, because it bounds the work on the rest.
  if (bits < minimumRsaBits || bits > maximumRsaBits) {
    const accepted = `${minimumRsaBits} to ${maximumRsaBits}`;
    throw new JoseError('bad-key', `the RSA modulus has ${bits} bits; accepted: ${accepted}`);
  }
  const number = toBigInt(modulus);
  const fault =
    exponent.length > 32
      ? 'the RSA public exponent is 2^256 or more'
      : (judgeRsaNumbers({ modulus, bits, exponent: toBigInt(exponent) }) ?? judgeRsaFactors(number));
  if (fault !== undefined) throw new JoseError('bad-key', fault);
  return { kty: 'RSA', n, e };
}

/** RFC 7518 §6.3.1: as few octets as the number needs. */
function readNumber(members: Readonly<Record<string, unknown>>, name: 'n' | 'e'): readonly [string, Buffer] {
  const text = members[name];
  const octets = typeof text === 'string' ? decodeBase64url(text) : undefined;
  if (typeof text !== 'string' || octets === undefined || octets.length === 0 || octets[0] === 0) {
    throw new JoseError('malformed', `'${name}' of the JWK is not base64url of a number without leading zeros`);
  }
  return [text, octets];
}

function toBigInt(octets: Buffer): bigint {
  return BigInt(`0x${octets.toString('hex')}`);
}

function toKeyObject(jwk: JwkMembers): KeyObject {
  if (jwk.kty === 'OKP') {
    const fault = judgeEdwardsPoint(Buffer.from(jwk.x, 'base64url'));
    if (fault !== undefined) throw new JoseError('bad-key', `the Ed25519 public key ${fault}`);
  }
  try {
    // node:crypto checks that a point is on its curve.
    return createPublicKey({ key: { ...jwk }, format: 'jwk' });
  } catch (cause) {
    throw new JoseError('bad-key', `the ${jwk.kty} public key is not one`, { cause });
  }
}
