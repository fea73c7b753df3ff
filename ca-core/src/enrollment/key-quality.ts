/**
 * Whether a public key is one that a certificate may vouch for: of a kind that the profile accepts, well-formed as its
 * standard demands, and without the weaknesses that broken generators are known for. Possession is proved elsewhere;
 * nothing here needs the private key, and nothing is remembered.
 */
import type { PublicKeyDescription } from '@gatehouse/pkix/public-key';
import { judgeEdwardsPoint } from '@gatehouse/pkix/weak-keys/edwards-point';
import { judgeCurvePoint } from '@gatehouse/pkix/weak-keys/elliptic-curve-point';
import { judgeRsaFactors, judgeRsaNumbers } from '@gatehouse/pkix/weak-keys/rsa';
import { CoreError } from '@gatehouse/proto/core-error';
import type { KeyRule } from '../profiles/profile.ts';

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
      checkRsaSize(key, rule);
      const fault = judgeRsaNumbers(key) ?? judgeRsaFactors(toBigInt(key.modulus));
      if (fault !== undefined) throw new CoreError('bad-key', fault);
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

/** The size comes first, because it bounds the work on the rest. */
function checkRsaSize(key: RsaKey, rule: RsaRule): void {
  if (key.bits >= rule.minimumBits && key.bits <= rule.maximumBits) return;
  const accepted = `${rule.minimumBits} to ${rule.maximumBits}`;
  throw new CoreError('bad-key', `the RSA modulus has ${key.bits} bits; accepted: ${accepted}`);
}

function toBigInt(octets: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('hex')}`);
}
