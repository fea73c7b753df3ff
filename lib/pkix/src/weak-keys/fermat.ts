/**
 * Finds RSA moduli whose two primes lie so close together that Fermat's method factors them at once (CVE-2022-26320).
 * BR §6.1.1.3 asks for 100 rounds.
 */

const rounds = 100;

/** Whether `modulus`, odd and positive, is a² - b² for one of the first 100 a from its square root upwards. */
export function hasCloseFactors(modulus: bigint): boolean {
  let a = squareRoot(modulus);
  if (a * a < modulus) a += 1n;
  let difference = a * a - modulus;
  for (let round = 0; round < rounds; round++) {
    if (isSquare(difference)) return true;
    difference += 2n * a + 1n;
    a += 1n;
  }
  return false;
}

/** The greatest integer whose square is not greater than `value` ≥ 0. */
export function squareRoot(value: bigint): bigint {
  if (value < 2n) return value;
  const bits = value.toString(16).length * 4;
  // The leading 52 bits of the root come from floating point, rounded up, so that Newton's method descends to the root.
  const shift = BigInt(Math.max(0, bits - 104) & ~1);
  let root = (BigInt(Math.ceil(Math.sqrt(Number(value >> shift)))) + 1n) << (shift / 2n);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** Residues modulo 256 that squares have: 44 of them, so five of six candidates need no root. */
const squareResidues = new Set(Array.from({ length: 256 }, (_, value) => (value * value) % 256));

function isSquare(value: bigint): boolean {
  if (!squareResidues.has(Number(BigInt.asUintN(8, value)))) return false;
  // 3·5·7·11·13·17·19 in one division: of what passes the first filter, one in some fifty passes this one.
  const remainder = Number(value % 4_849_845n);
  for (const prime of [3, 5, 7, 11, 13, 17, 19]) if (!isResidue(remainder % prime, prime)) return false;
  const root = squareRoot(value);
  return root * root === value;
}

const residuesByPrime: ReadonlyMap<number, ReadonlySet<number>> = new Map(
  [3, 5, 7, 11, 13, 17, 19].map((prime) => [
    prime,
    new Set(Array.from({ length: prime }, (_, value) => (value * value) % prime)),
  ]),
);

function isResidue(value: number, prime: number): boolean {
  return residuesByPrime.get(prime)?.has(value) ?? false;
}
