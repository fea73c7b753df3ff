// Whether enough remote perspectives corroborate, by the rules that the keep states for a profile (ValidationRules): the same
// rule as the keep's, so that no order becomes ready which the keep would refuse. What an attempt uses is fixed before; who
// does not answer has not corroborated (BR §3.2.2.9).

import type { ValidationRules } from '@gatehouse/ra-client/domain-validation';
import type { StatementPayload } from '@gatehouse/ra-client/perspective-statement';
import { type Finding, passes } from './check.ts';
import { isProven } from './proof.ts';
import type { RemotePerspective } from './registry.ts';
import { publicPolicy, requiredSites } from './selection.ts';

/** How a check stands. */
export type Quorum = {
  /** `open` while answers that are missing may decide it. */
  readonly verdict: 'met' | 'missed' | 'open';
  /** How many corroborate. */
  readonly corroborating: number;
  /** How many the attempt uses. */
  readonly used: number;
  /** What is missing; empty when it is met. */
  readonly shortfall: string;
};

/** What the quorum is counted by. */
export type QuorumRules = Pick<ValidationRules, 'remotes' | 'corroborations' | 'policy' | 'requiredSites' | 'dnssec'>;

/** BR §3.2.2.9: service regions among those that corroborate. */
const publicRegions = 2;

/** What is judged. */
export type Attempted = {
  /** What the attempt uses. */
  readonly chosen: readonly RemotePerspective[];
  /** What came from them so far, by name. */
  readonly findings: ReadonlyMap<string, Finding>;
  /** What the primary found. It never counts. */
  readonly own: Finding;
  /** Canonical, without `*.`. */
  readonly name: string;
};

/** Judges the findings that are there. */
export function judgeQuorum(rules: QuorumRules, { chosen, findings, own, name }: Attempted): Quorum {
  const used = Math.max(chosen.length, rules.remotes);
  const payloads = [own, ...findings.values()].flatMap((one) => (one.kind === 'stated' ? [one.payload] : []));
  const agreeing = agreeingNames(
    [...findings.values()].filter(
      (one): one is Stated => one.kind === 'stated' && passes(one) && isProven(rules, one.payload, payloads),
    ),
    own,
  );
  const corroborating = chosen.filter((one) => agreeing.has(one.name));
  const shortfall = describeShortfall(rules, corroborating, used, name);
  if (shortfall === '') return { verdict: 'met', corroborating: corroborating.length, used, shortfall };
  // Whoever has not answered yet may still corroborate; when even that is not enough, it is decided.
  const hopeful = chosen.filter((one) => !findings.has(one.name));
  const isLost = describeShortfall(rules, [...corroborating, ...hopeful], used, name) !== '';
  return { verdict: isLost ? 'missed' : 'open', corroborating: corroborating.length, used, shortfall };
}

type Stated = Finding & { readonly kind: 'stated' };

// mpic.md §1: dns-persist-01 is corroborated by records for the same account and key; those that most have seen count, and
// among as many those of the primary.
function agreeingNames(passing: readonly Stated[], own: Finding): ReadonlySet<string> {
  const groups = Map.groupBy(passing, ({ payload }) => proofOf(payload));
  const preferred = own.kind === 'stated' ? proofOf(own.payload) : '';
  const [largest] = [...groups].sort(
    ([a, some], [b, others]) => others.length - some.length || Number(b === preferred) - Number(a === preferred),
  );
  return new Set(largest?.[1].map(({ name }) => name));
}

/** What all who corroborate must have found alike: for the other methods it follows from the question. */
function proofOf({ method, check, thumbprint, expected = '' }: StatementPayload): string {
  if (check !== 'dcv' || method !== 'dns-persist-01') return '';
  return `${thumbprint} ${/;\s*accounturi\s*=\s*([^;]*)/i.exec(expected)?.[1]?.trim() ?? ''}`;
}

function describeShortfall(
  rules: QuorumRules,
  corroborating: readonly RemotePerspective[],
  used: number,
  name: string,
): string {
  // Using more than is demanded does not let more of them fail.
  const needed = Math.max(1, used - (rules.remotes - rules.corroborations));
  const count = corroborating.length;
  if (count < needed) return `${count} of ${used} remote perspectives agree, ${needed} are needed`;
  const missing = requiredSites(rules, name).filter((site) => !corroborating.some((one) => one.site === site));
  if (missing.length > 0) return `it was not seen from ${missing.join(', ')}`;
  const regions = new Set(corroborating.map(({ rir }) => rir)).size;
  if (rules.policy === publicPolicy && regions < publicRegions) return `it was seen from ${regions} RIR region only`;
  return '';
}
