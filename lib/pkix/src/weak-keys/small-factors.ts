/**
 * Finds prime factors of an RSA modulus that trial division finds too: a generator that yields them tests no primes.
 * NIST SP 800-89 §5.3.3 asks for primes below 752; we go a little further because it costs next to nothing.
 */

const primeLimit = 10_000;

/** Primes whose product is a safe integer, so that one division of the modulus serves them all. */
type PrimeGroup = { readonly product: bigint; readonly primes: readonly number[] };

const groups: readonly PrimeGroup[] = groupPrimes(primesBelow(primeLimit));

/** The smallest prime below 10,000 that divides `modulus`, or undefined. `modulus` is positive. */
export function findSmallFactor(modulus: bigint): number | undefined {
  for (const { product, primes } of groups) {
    const remainder = Number(modulus % product);
    for (const prime of primes) if (remainder % prime === 0) return prime;
  }
  return undefined;
}

/** Primes below `limit` in ascending order, by the sieve of Eratosthenes. */
export function primesBelow(limit: number): readonly number[] {
  const isComposite = new Uint8Array(limit);
  const primes: number[] = [];
  for (let candidate = 2; candidate < limit; candidate++) {
    if (isComposite[candidate] === 1) continue;
    primes.push(candidate);
    for (let multiple = candidate * candidate; multiple < limit; multiple += candidate) isComposite[multiple] = 1;
  }
  return primes;
}

function groupPrimes(primes: readonly number[]): readonly PrimeGroup[] {
  const result: PrimeGroup[] = [];
  let members: number[] = [];
  let product = 1;
  for (const prime of primes) {
    if (!Number.isSafeInteger(product * prime)) {
      result.push({ product: BigInt(product), primes: members });
      members = [];
      product = 1;
    }
    members.push(prime);
    product *= prime;
  }
  result.push({ product: BigInt(product), primes: members });
  return result;
}
