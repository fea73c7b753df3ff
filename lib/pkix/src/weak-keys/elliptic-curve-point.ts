/**
 * Full public-key validation for the NIST curves: NIST SP 800-56A §5.6.2.3.3. Their cofactor is 1, so a point that is on
 * the curve and not at infinity generates the whole group. The check stands on its own, because a key whose possession
 * an RA states was never loaded by a library that checks.
 */
import type { Curve } from '../public-key.ts';

/** y² = x³ - 3x + b over the field of p elements; coordinates have `octets` octets. NIST SP 800-186 §3.2.1. */
type CurveParameters = { readonly p: bigint; readonly b: bigint; readonly octets: number };

const curves: Readonly<Record<Curve, CurveParameters>> = {
  'P-256': {
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    octets: 32,
  },
  'P-384': {
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
    octets: 48,
  },
  'P-521': {
    p: 2n ** 521n - 1n,
    b: 0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
    octets: 66,
  },
};

const uncompressed = 0x04;

/** What is wrong with an ECPoint (RFC 5480 §2.2), to be read after 'the public key …'; undefined when it is good. */
export function judgeCurvePoint(curve: Curve, point: Uint8Array): string | undefined {
  const { p, b, octets } = curves[curve];
  if (point.length === 1 && point[0] === 0) return 'is the point at infinity';
  // RFC 5480 §2.2: the uncompressed form is the one that every relying party reads.
  if (point[0] === 0x02 || point[0] === 0x03) return 'is compressed; send the uncompressed form';
  if (point[0] !== uncompressed || point.length !== 1 + 2 * octets) return 'is not a point of its curve';
  const hex = Buffer.from(point.buffer, point.byteOffset, point.byteLength).toString('hex');
  const x = BigInt(`0x${hex.slice(2, 2 + 2 * octets)}`);
  const y = BigInt(`0x${hex.slice(2 + 2 * octets)}`);
  if (x >= p || y >= p) return 'has a coordinate outside of the field';
  return (y * y - (x * x - 3n) * x - b) % p === 0n ? undefined : 'is not on its curve';
}
