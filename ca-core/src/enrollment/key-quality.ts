/**
 * Whether a public key is one that a certificate may vouch for: of a kind that the profile accepts, well-formed as its
 * standard demands, and without the weaknesses that broken generators are known for. Possession is proved elsewhere;
 * nothing here needs the private key, and nothing is remembered.
 */
import type { PublicKeyDescription } from '@gatehouse/pkix/public-key';
import { CoreError } from '@gatehouse/proto/core-error';
import type { KeyRule } from '../profiles/profile.ts';
import { judgeEdwardsPoint } from './edwards-point.ts';
import { judgeCurvePoint } from './elliptic-curve-point.ts';
import { hasCloseFactors } from './fermat.ts';
import { hasRocaFingerprint } from './roca.ts';
import { findSmallFactor } from './small-factors.ts';

type RsaKey = Extract<PublicKeyDescription, { readonly kind: 'rsa' }>;
type RsaRule = Extract<KeyRule, { readonly kind: 'rsa' }>;

/**
 * Judges a subject key by the rules of a profile. Lengths of Ed25519 and ML-DSA keys were checked when the description
 * was made (RFC 8410 §4, FIPS 204 table 2); every octet string of an ML-DSA key's length is one.
 *
 * @throws {CoreError} `bad-key` that says what is wrong and, for a kind that the profile does not accept, what is
 */
export function checkKeyQuality(key: PublicKeyDescription, rules: readonly KeyRule[]): void {
  switch (key.kind) {
    case 'ec': {
      if (!rules.some((rule) => rule.kind === 'ec' && rule.curves.includes(key.curve))) {
        throw notAccepted(`EC ${key.curve}`, rules);
      }
      const fault = judgeCurvePoint(key.curve, key.point);
      if (fault !== undefined) throw new CoreError('bad-key', `the EC ${key.curve} public key ${fault}`);
      return;
    }
    case 'rsa': {
      const rule = rules.find((candidate) => candidate.kind === 'rsa');
      if (rule === undefined) throw notAccepted('RSA', rules);
      checkRsaNumbers(key, rule);
      checkRsaFactors(toBigInt(key.modulus));
      return;
    }
    case 'ed25519': {
      if (!rules.some((rule) => rule.kind === 'ed25519')) throw notAccepted('Ed25519', rules);
      const fault = judgeEdwardsPoint(key.key);
      if (fault !== undefined) throw new CoreError('bad-key', `the Ed25519 public key ${fault}`);
      return;
    }
    case 'ml-dsa':
      if (!rules.some((rule) => rule.kind === 'ml-dsa' && rule.parameterSets.includes(key.parameterSet))) {
        throw notAccepted(key.parameterSet, rules);
      }
      return;
    case 'unsupported':
      throw new CoreError('bad-key', `${key.detail}; accepted: ${describeKeyRules(rules)}`);
  }
}

/** For people: `EC P-256 or P-384, RSA of 2048 to 4096 bits, Ed25519`. */
export function describeKeyRules(rules: readonly KeyRule[]): string {
  return rules.map(describeKeyRule).join(', ');
}

function describeKeyRule(rule: KeyRule): string {
  switch (rule.kind) {
    case 'ec':
      return `EC ${rule.curves.join(' or ')}`;
    case 'rsa':
      return `RSA of ${rule.minimumBits} to ${rule.maximumBits} bits`;
    case 'ed25519':
      return 'Ed25519';
    case 'ml-dsa':
      return rule.parameterSets.join(' or ');
  }
}

function notAccepted(what: string, rules: readonly KeyRule[]): CoreError {
  return new CoreError('bad-key', `${what} keys are not accepted; accepted: ${describeKeyRules(rules)}`);
}

/** BR §6.1.6: the public exponent lies between 2^16 + 1 and 2^256 - 1. Smaller ones break careless paddings. */
const minimumExponent = 65_537n;
const exponentLimit = 1n << 256n;

/** What can be seen of a modulus and an exponent without arithmetic; the size comes first, because it bounds the rest. */
function checkRsaNumbers(key: RsaKey, rule: RsaRule): void {
  if (key.bits < rule.minimumBits || key.bits > rule.maximumBits) {
    throw new CoreError(
      'bad-key',
      `the RSA modulus has ${key.bits} bits; accepted: ${rule.minimumBits} to ${rule.maximumBits}`,
    );
  }
  // BR §6.1.5
  if (key.bits % 8 !== 0) throw new CoreError('bad-key', `the RSA modulus has ${key.bits} bits, not a multiple of 8`);
  // A product of two odd primes is odd.
  if (((key.modulus.at(-1) ?? 0) & 1) === 0) throw new CoreError('bad-key', 'the RSA modulus is even');
  // Coprime to the even λ(n), so odd itself.
  if ((key.exponent & 1n) === 0n) throw new CoreError('bad-key', 'the RSA public exponent is even');
  if (key.exponent < minimumExponent) throw new CoreError('bad-key', 'the RSA public exponent is less than 65537');
  if (key.exponent >= exponentLimit) throw new CoreError('bad-key', 'the RSA public exponent is 2^256 or more');
}

/** Weaknesses that let anybody factor the modulus. BR §6.1.1.3 demands the last two by name. */
function checkRsaFactors(modulus: bigint): void {
  const factor = findSmallFactor(modulus);
  if (factor !== undefined) throw new CoreError('bad-key', `the RSA modulus is divisible by ${factor}`);
  if (hasRocaFingerprint(modulus)) {
    throw new CoreError('bad-key', 'the RSA key has the ROCA weakness (CVE-2017-15361)');
  }
  if (hasCloseFactors(modulus)) {
    throw new CoreError('bad-key', 'the primes of the RSA modulus are so close that it can be factored');
  }
}

function toBigInt(octets: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('hex')}`);
}
