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

/** Attempts about one name of which a gate may send statements: more would only cost time. */
const mostSets = 8;

/** One set that was looked at for a name. */
type Tried = { readonly verdict: SetVerdict | undefined; readonly cause: string | undefined };

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

  function tryOne(set: StatementSet, name: CertifiedName): Tried {
    const fault = setFault(rules, set, name);
    if (fault !== undefined) return { verdict: undefined, cause: fault };
    const verdict = verdictOn(set, name);
    const shortfall = verdict.shortfall ?? reachFault(name, verdict);
    return { verdict, cause: shortfall === undefined ? undefined : describe(shortfall, verdict) };
  }

  function judgeCaa(name: CertifiedName, control: SetVerdict): NameVerdict {
    const { method, account } = control.judged.set;
    const found = sets
      .find('caa', name.type, name.value)
      .filter(
        (set) => set.isWildcard === name.isWildcard && set.method === method && isSameAccount(rules, set, account),
      );
    let nearest: NameVerdict | undefined;
    for (const set of found.slice(0, mostSets)) {
      const { verdict: caa, cause } = tryOne(set, name);
      if (cause === undefined) return { name, control, caa, fault: undefined };
      if (nearest?.caa === undefined)
        nearest = { name, control, caa, fault: { kind: 'invalid', cause: `caa: ${cause}` } };
    }
    const cause = `nobody looked for CAA records for this name, ${method} and the account`;
    return nearest ?? { name, control, caa: undefined, fault: { kind: 'missing', cause } };
  }

  return (name) => {
    const found = coveringValues(name).flatMap((value) => sets.find('dcv', name.type, value));
    let nearest: NameVerdict | undefined;
    for (const set of found.slice(0, mostSets)) {
      const { verdict: control, cause } = tryOne(set, name);
      const verdict: NameVerdict =
        cause === undefined && control !== undefined
          ? withPermission(name, control)
          : { name, control, caa: undefined, fault: { kind: 'invalid', cause: `dcv: ${cause ?? 'not proven'}` } };
      if (verdict.fault === undefined) return verdict;
      if (nearest === undefined || progressOf(verdict) > progressOf(nearest)) nearest = verdict;
    }
    const fault = { kind: 'missing', cause: 'no statement is about it' } as const;
    return nearest ?? { name, control: undefined, caa: undefined, fault };
  };

  function withPermission(name: CertifiedName, control: SetVerdict): NameVerdict {
    if (needsCaa(rules.row, name, control)) return judgeCaa(name, control);
    return { name, control, caa: undefined, fault: undefined };
  }
}

/** How far a name got before it failed: what is told is the failure that was nearest to success. */
function progressOf({ control }: NameVerdict): number {
  if (control === undefined) return 0;
  return control.shortfall === undefined ? 2 : 1;
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
    ...judged.lies.filter((lie) => !set.perspectives.some((name) => lie.startsWith(`${name}: `))),
  ];
  return causes.length === 0 ? shortfall : `${shortfall}: ${causes.join('; ')}`;
}
