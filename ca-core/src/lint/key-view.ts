// A SubjectPublicKeyInfo as it is encoded, for lints: algorithm, parameters and key octets, and for RSA the two integers.
// Whether a key is good is judged in the enrollment pipeline; lints only look at what the certificate says about it.
import { DerCursor, readBitString, readInteger, readObjectIdentifier, tags } from '@gatehouse/pkix/der/reader';
import { algorithms } from '@gatehouse/pkix/object-identifiers';

/** Parts of a SubjectPublicKeyInfo, RFC 5280 §4.1.2.7. */
export type KeyView = {
  readonly algorithm: string;
  /** DER of the parameters, or undefined where they are absent. */
  readonly parameters: Uint8Array | undefined;
  readonly octets: Uint8Array;
  /** Contents octets of modulus and publicExponent, RFC 3279 §2.3.1. */
  readonly rsa: { readonly modulus: Uint8Array; readonly exponent: Uint8Array } | undefined;
};

/** Reads a SubjectPublicKeyInfo; throws DerError when it is none. */
export function readKeyView(subjectPublicKeyInfo: Uint8Array): KeyView {
  const cursor = new DerCursor(subjectPublicKeyInfo).enter(tags.sequence);
  const { algorithm, parameters } = readAlgorithm(cursor.enter(tags.sequence));
  const { bytes } = readBitString(cursor.read(tags.bitString));
  cursor.expectEnd();
  return {
    algorithm,
    parameters,
    octets: bytes,
    rsa: algorithm === algorithms.rsaEncryption ? readRsaIntegers(bytes) : undefined,
  };
}

function readRsaIntegers(bytes: Uint8Array): KeyView['rsa'] {
  const cursor = new DerCursor(bytes).enter(tags.sequence);
  const modulus = readInteger(cursor.read(tags.integer));
  const exponent = readInteger(cursor.read(tags.integer));
  cursor.expectEnd();
  return { modulus, exponent };
}

/** An AlgorithmIdentifier, RFC 5280 §4.1.1.2. */
export type AlgorithmView = { readonly algorithm: string; readonly parameters: Uint8Array | undefined };

/** Reads an AlgorithmIdentifier; throws DerError when it is none. */
export function readAlgorithmView(raw: Uint8Array): AlgorithmView {
  return readAlgorithm(new DerCursor(raw).enter(tags.sequence));
}

function readAlgorithm(cursor: DerCursor): AlgorithmView {
  const algorithm = readObjectIdentifier(cursor.read(tags.objectIdentifier));
  const parameters = cursor.isAtEnd ? undefined : cursor.read().raw;
  cursor.expectEnd();
  return { algorithm, parameters };
}

/** Bits of an unsigned integer given by its contents octets. */
export function bitLength(contents: Uint8Array): number {
  let start = 0;
  while (start < contents.length && contents[start] === 0) start++;
  const first = contents[start];
  return first === undefined ? 0 : (contents.length - start) * 8 - Math.clz32(first) + 24;
}
