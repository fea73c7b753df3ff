// Whether a key in a CSR is of a kind that the profile takes, and none that anybody can break: judged before an order leaves
// `ready`, so that a client learns at once what it can mend (RFC 8555 §7.4). The keep judges the key again, and knows which
// keys are blocked.

import type { PublicKeyDescription } from '@gatehouse/pkix/public-key';
import { judgeEdwardsPoint } from '@gatehouse/pkix/weak-keys/edwards-point';
import { judgeCurvePoint } from '@gatehouse/pkix/weak-keys/elliptic-curve-point';
import { judgeRsaFactors, judgeRsaNumbers } from '@gatehouse/pkix/weak-keys/rsa';
import type { KeyRule } from '@gatehouse/ra-client/profile';

/** What is wrong with a key, as a sentence; undefined when nothing is. */
export function judgeKey(key: PublicKeyDescription, rules: readonly KeyRule[]): string | undefined {
  switch (key.kind) {
    case 'ec':
      if (!accepts(rules, 'ec', key.curve)) return notAccepted(`EC ${key.curve}`, rules);
      return about(`the EC ${key.curve} public key`, judgeCurvePoint(key.curve, key.point));
    case 'rsa': {
      const rule = rules.find(({ kind }) => kind === 'rsa');
      if (rule === undefined) return notAccepted('RSA', rules);
      // The size comes first, because it bounds the work on the rest.
      if (key.bits < rule.minimumBits || key.bits > rule.maximumBits) {
        return `the RSA modulus has ${key.bits} bits; accepted: ${rule.minimumBits} to ${rule.maximumBits}`;
      }
      return judgeRsaNumbers(key) ?? judgeRsaFactors(BigInt(`0x${Buffer.from(key.modulus).toString('hex')}`));
    }
    case 'ed25519':
      if (!accepts(rules, 'ed25519')) return notAccepted('Ed25519', rules);
      return about('the Ed25519 public key', judgeEdwardsPoint(key.key));
    case 'ml-dsa':
      return accepts(rules, 'ml-dsa', key.parameterSet) ? undefined : notAccepted(key.parameterSet, rules);
    case 'unsupported':
      return `${key.detail}; accepted: ${describe(rules)}`;
  }
}

function accepts(rules: readonly KeyRule[], kind: string, parameter?: string): boolean {
  return rules.some((rule) => rule.kind === kind && (parameter === undefined || rule.parameters.includes(parameter)));
}

function about(what: string, fault: string | undefined): string | undefined {
  return fault === undefined ? undefined : `${what} ${fault}`;
}

function notAccepted(what: string, rules: readonly KeyRule[]): string {
  return `${what} keys are not accepted; accepted: ${describe(rules)}`;
}

function describe(rules: readonly KeyRule[]): string {
  return rules.map(describeRule).join(', ');
}

function describeRule({ kind, parameters, minimumBits, maximumBits }: KeyRule): string {
  switch (kind) {
    case 'ec':
      return `EC ${parameters.join(' or ')}`;
    case 'rsa':
      return `RSA of ${minimumBits} to ${maximumBits} bits`;
    case 'ed25519':
      return 'Ed25519';
    default:
      return parameters.join(' or ');
  }
}
