/** RSA keys with the weaknesses that are looked for, made as the broken generators make them. For tests only. */
import { checkPrimeSync, generatePrimeSync, randomBytes } from 'node:crypto';
import { bitString, integer, nullValue, objectIdentifier, sequence } from '../src/der/writer.ts';
import { algorithms } from '../src/object-identifiers.ts';
import { describePublicKey, type PublicKeyDescription } from '../src/public-key.ts';
import { primesBelow } from '../src/weak-keys/small-factors.ts';

/** The description of a key that came as a SubjectPublicKeyInfo. */
export function rsaKey(modulus: bigint, exponent = 65_537n): PublicKeyDescription {
  const key = sequence(integer(modulus), integer(exponent));
  return describePublicKey(sequence(sequence(objectIdentifier(algorithms.rsaEncryption), nullValue()), bitString(key)));
}

/** A prime whose two highest bits are set, so that the product of two has twice its bits. */
export function prime(bits: number): bigint {
  return generatePrimeSync(bits, { bigint: true });
}

/** An odd number of exactly `bits` bits. */
export function oddNumber(bits: number): bigint {
  const random = BigInt(`0x${randomBytes(bits / 8).toString('hex')}`);
  return random | (1n << BigInt(bits - 1)) | 1n;
}

/** The next prime after `start`. */
export function primeAfter(start: bigint): bigint {
  let candidate = (start | 1n) + 2n;
  while (!checkPrimeSync(candidate)) candidate += 2n;
  return candidate;
}

/** Product of the first 126 primes: the M of 2048-bit keys of the ROCA generator. */
const rocaProduct = primesBelow(702).reduce((product, each) => product * BigInt(each), 1n);

/** A prime k·M + (65537^a mod M) of 1024 bits, the two highest of them set. */
export function rocaPrime(): bigint {
  const lowest = 3n << 1022n;
  for (;;) {
    let power = 1n;
    for (let a = randomBytes(2).readUInt16BE(); a > 0; a--) power = (power * 65_537n) % rocaProduct;
    const k = lowest / rocaProduct + BigInt(randomBytes(5).readUIntBE(0, 5));
    const candidate = k * rocaProduct + power;
    if (candidate > lowest && checkPrimeSync(candidate)) return candidate;
  }
}
