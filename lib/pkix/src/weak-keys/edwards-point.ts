/**
 * Whether 32 octets are a usable Ed25519 public key, RFC 8032 §5.1.3: the canonical encoding of a point of the curve
 * that is not one of the eight points of small order, for which anybody can make signatures that verify.
 */

const p = 2n ** 255n - 19n;
/** RFC 8032 §5.1: d of -x² + y² = 1 + d·x²·y². */
const d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

/** What is wrong with a key of 32 octets, to be read after 'the public key …'; undefined when it is good. */
export function judgeEdwardsPoint(key: Uint8Array): string | undefined {
  const bits = BigInt(`0x${Buffer.from(key).reverse().toString('hex')}`);
  const y = BigInt.asUintN(255, bits);
  if (y >= p) return 'is not canonically encoded';
  const square = (y * y) % p;
  if (hasSmallOrder(y, square)) return 'has small order';
  // x² = (y² - 1) / (d·y² + 1). A quotient is a square exactly when the product is.
  return isSquare(((square - 1n) * (d * square + 1n)) % p) ? undefined : 'is not on the curve';
}

/** Whether the order of a point with this y divides 8: those points have no other y than these five. */
function hasSmallOrder(y: bigint, square: bigint): boolean {
  // Order 1: (0, 1). Order 2: (0, -1). Order 4: y = 0.
  if (y === 1n || y === p - 1n || y === 0n) return true;
  // Order 8: twice the point has y = 0, so y² = -x², and the equation of the curve becomes d·y⁴ + 2·y² - 1 = 0.
  return (d * square * square + 2n * square - 1n) % p === 0n;
}

/** Euler's criterion: value^((p-1)/2) is 1 for a square. (p-1)/2 = 2^254 - 10. */
function isSquare(value: bigint): boolean {
  // value^(2^254 - 10) = value^((2^251 - 2)·8 + 6)
  let power = power2to251minus1(value);
  // (2^251 - 1)·8 - 2 = 2^254 - 10
  for (let i = 0; i < 3; i++) power = (power * power) % p;
  // Divide by value²: compare with it instead of inverting.
  return power === (value * value) % p;
}

/** value^(2^251 - 1) by an addition chain on the lengths 1, 2, 4, 5, 10, 20, 25, 50, 100, 125, 250, 251. */
function power2to251minus1(value: bigint): bigint {
  const join = (high: bigint, low: bigint, lowLength: number): bigint => {
    let result = high;
    for (let i = 0; i < lowLength; i++) result = (result * result) % p;
    return (result * low) % p;
  };
  const ones2 = join(value, value, 1);
  const ones4 = join(ones2, ones2, 2);
  const ones5 = join(ones4, value, 1);
  const ones10 = join(ones5, ones5, 5);
  const ones20 = join(ones10, ones10, 10);
  const ones25 = join(ones20, ones5, 5);
  const ones50 = join(ones25, ones25, 25);
  const ones100 = join(ones50, ones50, 50);
  const ones125 = join(ones100, ones25, 25);
  const ones250 = join(ones125, ones125, 125);
  return join(ones250, value, 1);
}
