/**
 * Recognises RSA keys of the generator with the ROCA weakness (CVE-2017-15361): Nemec, Sys, Svenda, Klinec and Matyas,
 * 'The Return of Coppersmith's Attack', ACM CCS 2017. Its primes are k·M + (65537^a mod M) with M the product of the
 * first primes, so the modulus is a power of 65537 modulo M too. Whether that is so is all that is asked here; another
 * key passes for one with a probability of about 2^-150.
 */
import { primesBelow } from './small-factors.ts';

const generator = 65_537;

/** M of the smallest keys (512 bits) has the 39 primes up to 167, and the M of every other size is a multiple of it. */
const primes = primesBelow(168);
const product: bigint = primes.reduce((result, prime) => result * BigInt(prime), 1n);

const noLogarithm = -1;

/** What is known of the powers of 65537 modulo one prime. */
type PowerTable = {
  readonly prime: number;
  readonly order: number;
  /** By residue: the exponent that yields it, or `noLogarithm`. */
  readonly logarithms: Int16Array;
};

const tables: readonly PowerTable[] = primes.map((prime) => {
  const logarithms = new Int16Array(prime).fill(noLogarithm);
  let order = 0;
  for (let power = 1 % prime; logarithms[power] === noLogarithm; power = (power * generator) % prime) {
    logarithms[power] = order++;
  }
  return { prime, order, logarithms };
});

/**
 * Whether `modulus` is a power of 65537 modulo the product of the primes up to 167.
 *
 * The discrete logarithm exists modulo the product when it exists modulo each prime and the logarithms agree: by the
 * Chinese remainder theorem, a ≡ a_p (mod order of 65537 modulo p) has a solution when each two of them have.
 */
export function hasRocaFingerprint(modulus: bigint): boolean {
  const residue = modulus % product;
  const logarithms: number[] = [];
  for (const { prime, logarithms: table } of tables) {
    const logarithm = table[Number(residue % BigInt(prime))] ?? noLogarithm;
    // Nearly every other key leaves here after a few primes.
    if (logarithm === noLogarithm) return false;
    logarithms.push(logarithm);
  }
  return tables.every((first, i) =>
    tables.every((second, j) => {
      const difference = (logarithms[i] ?? 0) - (logarithms[j] ?? 0);
      return j <= i || difference % greatestCommonDivisor(first.order, second.order) === 0;
    }),
  );
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
