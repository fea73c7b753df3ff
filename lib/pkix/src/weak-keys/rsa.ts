/**
 * What is wrong with an RSA public key, whoever brings it and whatever for: numbers that no RSA key has, and moduli that
 * anybody can factor. How large a key must be is the business of who accepts it; check that first, because it bounds the
 * work.
 */
import { hasCloseFactors } from './fermat.ts';
import { hasRocaFingerprint } from './roca.ts';
import { findSmallFactor } from './small-factors.ts';

/** BR §6.1.6: the public exponent lies between 2^16 + 1 and 2^256 - 1. Smaller ones break careless paddings. */
const minimumExponent = 65_537n;
const exponentLimit = 1n << 256n;

/** The numbers of a key: modulus big-endian without a leading zero, `bits` its length. */
export type RsaNumbers = { readonly modulus: Uint8Array; readonly bits: number; readonly exponent: bigint };

/** What can be seen without arithmetic, as a sentence; undefined when nothing is wrong. */
export function judgeRsaNumbers({ modulus, bits, exponent }: RsaNumbers): string | undefined {
  // BR §6.1.5
  if (bits % 8 !== 0) return `the RSA modulus has ${bits} bits, not a multiple of 8`;
  // A product of two odd primes is odd.
  if (((modulus.at(-1) ?? 0) & 1) === 0) return 'the RSA modulus is even';
  // Coprime to the even λ(n), so odd itself.
  if ((exponent & 1n) === 0n) return 'the RSA public exponent is even';
  if (exponent < minimumExponent) return 'the RSA public exponent is less than 65537';
  if (exponent >= exponentLimit) return 'the RSA public exponent is 2^256 or more';
  return undefined;
}

/** Weaknesses that let anybody factor the modulus. BR §6.1.1.3 demands the last two by name. */
export function judgeRsaFactors(modulus: bigint): string | undefined {
  const factor = findSmallFactor(modulus);
  if (factor !== undefined) return `the RSA modulus is divisible by ${factor}`;
  if (hasRocaFingerprint(modulus)) return 'the RSA key has the ROCA weakness (CVE-2017-15361)';
  if (hasCloseFactors(modulus)) return 'the primes of the RSA modulus are so close that it can be factored';
  return undefined;
}
