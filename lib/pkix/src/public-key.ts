// What a SubjectPublicKeyInfo holds (RFC 5280 §4.1.2.7), read strictly and without building a key object. It tells the
// kind and the numbers; whether a key is good enough to certify is the keep's business and never decided here.
import { createHash } from 'node:crypto';
import {
  type DerCursor,
  DerError,
  open,
  readBigInteger,
  readBitString,
  readInteger,
  readObjectIdentifier,
  tags,
} from './der/reader.ts';
import { PkixError } from './errors.ts';
import { algorithms } from './object-identifiers.ts';

/** Named curves of RFC 5480 that the house accepts. */
export type Curve = 'P-256' | 'P-384' | 'P-521';
/** Parameter sets of FIPS 204. */
export type MlDsaParameterSet = 'ML-DSA-44' | 'ML-DSA-65' | 'ML-DSA-87';

/**
 * A public key by kind. `point` is the ECPoint of RFC 5480 §2.2 (04 x y, or compressed), `modulus` big-endian without a
 * leading zero, `bits` the length of the modulus. Keys of kinds that nobody here can check are 'unsupported'.
 */
export type PublicKeyDescription =
  | { readonly kind: 'ec'; readonly curve: Curve; readonly point: Uint8Array }
  | { readonly kind: 'rsa'; readonly modulus: Uint8Array; readonly exponent: bigint; readonly bits: number }
  | { readonly kind: 'ed25519'; readonly key: Uint8Array }
  | { readonly kind: 'ml-dsa'; readonly parameterSet: MlDsaParameterSet; readonly key: Uint8Array }
  | { readonly kind: 'unsupported'; readonly algorithm: string; readonly detail: string };

/** A SubjectPublicKeyInfo that is malformed. */
export class PublicKeyError extends PkixError {
  readonly code = 'malformed';
}

const curves = new Map<string, { readonly curve: Curve; readonly octets: number }>([
  [algorithms.secp256r1, { curve: 'P-256', octets: 32 }],
  [algorithms.secp384r1, { curve: 'P-384', octets: 48 }],
  [algorithms.secp521r1, { curve: 'P-521', octets: 66 }],
]);

// FIPS 204 table 2: lengths of public keys in octets.
const parameterSets = new Map<string, { readonly parameterSet: MlDsaParameterSet; readonly octets: number }>([
  [algorithms.mlDsa44, { parameterSet: 'ML-DSA-44', octets: 1312 }],
  [algorithms.mlDsa65, { parameterSet: 'ML-DSA-65', octets: 1952 }],
  [algorithms.mlDsa87, { parameterSet: 'ML-DSA-87', octets: 2592 }],
]);

/**
 * Reads a SubjectPublicKeyInfo.
 *
 * @throws PublicKeyError when it is not DER, or its parameters or key are not what the algorithm prescribes
 */
export function describePublicKey(subjectPublicKeyInfo: Uint8Array): PublicKeyDescription {
  try {
    return describe(subjectPublicKeyInfo);
  } catch (cause) {
    if (cause instanceof DerError) throw new PublicKeyError(`public key: ${cause.detail}`, { cause });
    throw cause;
  }
}

function describe(subjectPublicKeyInfo: Uint8Array): PublicKeyDescription {
  const info = open(subjectPublicKeyInfo, tags.sequence);
  const identifier = info.enter(tags.sequence);
  const bits = readBitString(info.read(tags.bitString));
  info.expectEnd();
  const algorithm = readObjectIdentifier(identifier.read(tags.objectIdentifier));
  if (bits.unusedBits !== 0) throw new PublicKeyError('public key: the key does not fill its last octet');
  const key = bits.bytes;
  if (algorithm === algorithms.ecPublicKey) return describeEc(identifier, key);
  if (algorithm === algorithms.rsaEncryption) return describeRsa(identifier, key);
  const parameterSet = parameterSets.get(algorithm);
  if (parameterSet === undefined && algorithm !== algorithms.ed25519) {
    return { kind: 'unsupported', algorithm, detail: `keys of algorithm ${algorithm} are not supported` };
  }
  // RFC 8410 §3 and RFC 9881 §2: parameters are absent.
  if (!identifier.isAtEnd) throw new PublicKeyError('public key: the algorithm has parameters where it must have none');
  const octets = parameterSet?.octets ?? 32;
  if (key.length !== octets) throw new PublicKeyError(`public key: ${key.length} octets where there must be ${octets}`);
  if (parameterSet === undefined) return { kind: 'ed25519', key };
  return { kind: 'ml-dsa', parameterSet: parameterSet.parameterSet, key };
}

function describeEc(parameters: DerCursor, point: Uint8Array): PublicKeyDescription {
  // RFC 5480 §2.1.1: implicit and specified curves must not be used.
  if (parameters.peekTag() !== tags.objectIdentifier) {
    if (parameters.isAtEnd) throw new PublicKeyError('public key: the curve is missing');
    return { kind: 'unsupported', algorithm: algorithms.ecPublicKey, detail: 'the curve is not a named one' };
  }
  const name = readObjectIdentifier(parameters.read());
  parameters.expectEnd();
  const known = curves.get(name);
  if (known === undefined) {
    return { kind: 'unsupported', algorithm: algorithms.ecPublicKey, detail: `curve ${name} is not supported` };
  }
  const isUncompressed = point[0] === 4 && point.length === 1 + 2 * known.octets;
  const isCompressed = (point[0] === 2 || point[0] === 3) && point.length === 1 + known.octets;
  if (!isUncompressed && !isCompressed) throw new PublicKeyError(`public key: not a point of ${known.curve}`);
  return { kind: 'ec', curve: known.curve, point };
}

function describeRsa(parameters: DerCursor, key: Uint8Array): PublicKeyDescription {
  // RFC 3279 §2.3.1: the parameters are NULL.
  const isNull = parameters.peekTag() === tags.null && parameters.read().contents.length === 0;
  if (!isNull || !parameters.isAtEnd) throw new PublicKeyError('public key: the parameters of an RSA key are not NULL');
  const numbers = open(key, tags.sequence);
  const modulus = readInteger(numbers.read(tags.integer));
  const exponent = readInteger(numbers.read(tags.integer));
  numbers.expectEnd();
  if ((modulus[0] ?? 0) >= 0x80 || (exponent[0] ?? 0) >= 0x80)
    throw new PublicKeyError('public key: an RSA number is negative');
  const magnitude = modulus[0] === 0 ? modulus.subarray(1) : modulus;
  const bits = magnitude.length * 8 - Math.clz32(magnitude[0] ?? 0) + 24;
  return { kind: 'rsa', modulus: magnitude, exponent: toBigInteger(exponent), bits: magnitude.length === 0 ? 0 : bits };
}

// Exponents are short; a long one is read as what it is, but not on the fast path.
function toBigInteger(contents: Uint8Array): bigint {
  if (contents.length > 6) return readBigInteger({ tag: tags.integer, contents, raw: contents });
  let value = 0;
  for (let i = 0; i < contents.length; i++) value = value * 256 + (contents[i] ?? 0);
  return BigInt(value);
}

/**
 * Octets of the subjectPublicKey BIT STRING, without its count of unused bits: what key identifiers are made of
 * (RFC 5280 §4.2.1.2).
 *
 * @throws PublicKeyError when the bytes are no SubjectPublicKeyInfo
 */
export function subjectPublicKeyOctets(subjectPublicKeyInfo: Uint8Array): Uint8Array {
  try {
    const info = open(subjectPublicKeyInfo, tags.sequence);
    info.skip(tags.sequence);
    const { bytes } = readBitString(info.read(tags.bitString));
    info.expectEnd();
    return bytes;
  } catch (cause) {
    if (cause instanceof DerError) throw new PublicKeyError(`public key: ${cause.detail}`, { cause });
    throw cause;
  }
}

/** SHA-256 of the whole SubjectPublicKeyInfo: the one identity of a key in stores and block lists. */
export function publicKeyFingerprint(subjectPublicKeyInfo: Uint8Array): Uint8Array {
  return createHash('sha256').update(subjectPublicKeyInfo).digest();
}
