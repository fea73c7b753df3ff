/**
 * Whether the control of one name is proven (mpic.md §3): a set about domain control that covers it, and where the policy
 * demands it a set about CAA for this very name, by the same method and for the same account. Every name has its own.
 */
import type { ValidationMethod } from '@gatehouse/proto/perspective-statement';
import type { AccountHolder } from './acme-finalize.ts';
import type { AcmeUrls } from './acme-urls.ts';
import { isSignedZone } from './dnssec.ts';
import { type JudgedSet, judgeSet, judgeStatements, type SetRules, type SetVerdict } from './judge-set.ts';
import { speakerOf } from './judge-statement.ts';
import { type CertifiedName, coverageFault, coveringValues, reachesBelow } from './name-coverage.ts';
import { type PolicyRow, sitesFor } from './policies/policy.ts';
import type { StatementSet, StatementSets } from './statement-set.ts';

/** By what names are judged. */
export type NameRules = Omit<SetRules, 'reuseMs'> & {
  readonly methods: ReadonlySet<ValidationMethod>;
  /** The profile's; the policy may shorten it. */
  readonly reuseMs: number;
  readonly urls: AcmeUrls;
  /** Who asks; undefined when that was not proven, which only counts where failures are only recorded. */
  readonly holder: AccountHolder | undefined;
};

/** What is proven of a name. */
export type NameVerdict = {
  readonly name: CertifiedName;
  /** The sets that decided, or that came nearest. */
  readonly control: SetVerdict | undefined;
  readonly caa: SetVerdict | undefined;
  /** `missing`: nobody said anything about the name. */
  readonly fault: { readonly kind: 'missing' | 'invalid'; readonly cause: string } | undefined;
};

/** Judges names one after the other; what several have in common is judged once. */
export function createNameJudge(rules: NameRules, sets: StatementSets): (name: CertifiedName) => NameVerdict {
  const judged = new Map<StatementSet, JudgedSet>();

  function verdictOn(set: StatementSet, name: CertifiedName): SetVerdict {
    const setRules = { ...rules, reuseMs: reuseFor(rules.row, rules.reuseMs, set.method) };
    let statements = judged.get(set);
    if (statements === undefined) {
      statements = judgeStatements(setRules, set);
      judged.set(set, statements);
    }
    const sites = sitesFor(rules.row, name.value).union(sitesFor(rules.row, set.identifier.value));
    return judgeSet(setRules, statements, sites);
  }

  function judgeCaa(name: CertifiedName, control: SetVerdict): NameVerdict {
    const { method, account } = control.judged.set;
    const found = sets
      .find('caa', name.type, name.value)
      .filter(
        (set) => set.isWildcard === name.isWildcard && set.method === method && isSameAccount(rules, set, account),
      );
    if (found.length === 0) {
      const cause = `nobody looked for CAA records for this name, ${method} and the account`;
      return { name, control, caa: undefined, fault: { kind: 'missing', cause } };
    }
    const { verdict: caa, cause } = firstSufficient(found, name);
    return { name, control, caa, fault: cause === undefined ? undefined : { kind: 'invalid', cause: `caa: ${cause}` } };
  }

  function firstSufficient(
    found: readonly StatementSet[],
    name: CertifiedName,
  ): { readonly verdict: SetVerdict | undefined; readonly cause: string | undefined } {
    let nearest: { readonly verdict: SetVerdict | undefined; readonly cause: string } | undefined;
    for (const set of found) {
      const fault = setFault(rules, set, name);
      if (fault !== undefined) {
        nearest ??= { verdict: undefined, cause: fault };
        continue;
      }
      const verdict = verdictOn(set, name);
      const shortfall = verdict.shortfall ?? reachFault(name, verdict);
      if (shortfall === undefined) return { verdict, cause: undefined };
      if (nearest?.verdict === undefined) nearest = { verdict, cause: describe(shortfall, verdict) };
    }
    return nearest ?? { verdict: undefined, cause: 'there are no statements' };
  }

  return (name) => {
    const found = coveringValues(name).flatMap((value) => sets.find('dcv', name.type, value));
    if (found.length === 0) {
      return {
        name,
        control: undefined,
        caa: undefined,
        fault: { kind: 'missing', cause: 'no statement is about it' },
      };
    }
    const { verdict: control, cause } = firstSufficient(found, name);
    if (cause !== undefined || control === undefined) {
      return { name, control, caa: undefined, fault: { kind: 'invalid', cause: `dcv: ${cause ?? 'not proven'}` } };
    }
    if (!needsCaa(rules.row, name, control)) return { name, control, caa: undefined, fault: undefined };
    return judgeCaa(name, control);
  };
}

/** Why a set is not about this name and this asker, whatever its statements say. */
function setFault(rules: NameRules, set: StatementSet, name: CertifiedName): string | undefined {
  if (!rules.methods.has(set.method)) return `the profile does not accept ${set.method}`;
  const coverage = set.check === 'dcv' ? coverageFault(name, set) : undefined;
  if (coverage !== undefined) return coverage;
  if (rules.holder === undefined) return undefined;
  if (!isSameAccount(rules, set, rules.holder.account)) return `the statements are for another account than asks`;
  return rules.holder.thumbprints.has(set.thumbprint)
    ? undefined
    : 'the statements are for another key than the account holder signs with';
}

/** URLs of one account may begin with different names of the gate. */
function isSameAccount({ urls }: NameRules, { account }: StatementSet, other: string): boolean {
  const id = urls.accountId(account);
  return id !== undefined && id === urls.accountId(other);
}

/** dns-persist-01 reaches below its name only where each counted record says `policy=wildcard`. */
function reachFault(name: CertifiedName, { judged, quorum }: SetVerdict): string | undefined {
  const { set, genuine } = judged;
  if (set.check !== 'dcv' || set.method !== 'dns-persist-01' || !reachesBelow(name, set)) return undefined;
  const reaches = genuine.every((statement) => {
    const speaker = speakerOf(statement);
    const isCounted = speaker?.kind === 'remote' && quorum.counted.includes(speaker.name);
    return !isCounted || statement.payload.coversSubdomains === true;
  });
  return reaches ? undefined : 'the record does not say policy=wildcard';
}

function needsCaa({ caa }: PolicyRow, name: CertifiedName, { judged }: SetVerdict): boolean {
  // RFC 8659 §1 is about domain names; RFC 8738 knows no CAA.
  if (name.type === 'ip' || caa === 'off') return false;
  return caa === 'on' || isSignedZone(judged.genuine);
}

function reuseFor(row: PolicyRow, reuseMs: number, method: ValidationMethod): number {
  const persist = method === 'dns-persist-01' ? row.maximumPersistReuseMs : undefined;
  return Math.min(reuseMs, row.maximumReuseMs ?? Infinity, persist ?? Infinity);
}

/** The shortfall with what each perspective has to say for itself. */
function describe(shortfall: string, { judged, quorum }: SetVerdict): string {
  const { set, faults, corroborations } = judged;
  const corroborating = new Set(corroborations.map(({ vantage }) => vantage.name));
  const causeOf = (name: string): string =>
    faults.get(name) ?? (corroborating.has(name) ? 'not distinct from the others' : 'no statement');
  const causes = [
    ...set.perspectives.filter((name) => !quorum.counted.includes(name)).map((name) => `${name}: ${causeOf(name)}`),
    ...[...faults].flatMap(([name, fault]) => (set.perspectives.includes(name) ? [] : [`${name}: ${fault}`])),
    ...judged.strangers,
  ];
  return causes.length === 0 ? shortfall : `${shortfall}: ${causes.join('; ')}`;
}
