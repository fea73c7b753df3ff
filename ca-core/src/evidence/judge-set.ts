/**
 * What a set of statements amounts to: who corroborates, who does not and why, and whether that is enough (mpic.md §3 and §4).
 * Perspectives that were to be asked and are silent have not corroborated.
 */
import type { Place } from '@gatehouse/proto/distance';
import { proofFault, provenQuestions } from './dnssec.ts';
import {
  contentFault,
  identityFault,
  isSigned,
  type Speaker,
  type StatementRules,
  speakerOf,
} from './judge-statement.ts';
import { accountOfRecord } from './persistent-record.ts';
import { type Corroboration, judgeQuorum, type Quorum, type Vantage } from './quorum.ts';
import type { Statement } from './statement.ts';
import type { StatementSet } from './statement-set.ts';

/** By what sets are judged. */
export type SetRules = StatementRules & {
  /** Where the gate's own perspective stands. */
  readonly primaryPlace: Place | undefined;
};

/** A set whose statements have been judged one by one. */
export type JudgedSet = {
  readonly set: StatementSet;
  /** Statements whose signatures hold. */
  readonly genuine: readonly Statement[];
  readonly corroborations: readonly Corroboration[];
  /** False where the claims alone are not enough: then nobody looked whose they are, and `corroborations` are claims. */
  readonly isVerified: boolean;
  /** Why a remote perspective did not corroborate, by its name. */
  readonly faults: ReadonlyMap<string, string>;
  /** What is wrong with the primary's statement; nothing when it found the same. */
  readonly primaryFault: string | undefined;
  /** Statements that are not what they claim to be: not a perspective that failed, but somebody who lied. */
  readonly lies: readonly string[];
};

/** What a set amounts to for one name. */
export type SetVerdict = {
  readonly judged: JudgedSet;
  readonly quorum: Quorum;
  /** What is missing; nothing when the name may be certified. */
  readonly shortfall: string | undefined;
};

/** Each perspective and the primary once, and again for those who send everything twice. */
const mostStatements = 2 * 17;

/** Longer no attempt takes, time-outs and clocks that differ included. */
const attemptMs = 10 * 60_000;

type Judgement = {
  readonly statement: Statement;
  readonly speaker: Speaker;
  /** Whether its signature has to be looked at. */
  readonly isClaimed: boolean;
  isLie: boolean;
  fault: string | undefined;
};

/** Judges each statement of a set. */
export function judgeStatements(rules: SetRules, set: StatementSet): JudgedSet {
  const strangers: string[] = [];
  const judgements = set.statements.slice(0, mostStatements).flatMap((statement): readonly Judgement[] => {
    const speaker = speakerOf(statement);
    if (speaker === undefined) {
      strangers.push(`nobody of the name '${statement.payload.perspective.slice(0, 128)}' may make statements`);
      return [];
    }
    const identity = identityFault(rules, speaker, set, statement);
    const isClaimed = identity === undefined;
    const fault = identity ?? contentFault(rules, set, statement);
    return [{ statement, speaker, isClaimed, isLie: !isClaimed, fault }];
  });
  // Verifying costs the most by far: nobody gets it done for a set that would not be enough if all of it were genuine.
  const isHopeless = quorumOf(rules, set, corroborationsOf(rules, judgements), new Set()).shortfall !== undefined;
  const genuine = isHopeless ? [] : judgements.filter((each) => each.isClaimed && checkSignature(rules, each));
  if (!isHopeless) refuseRepeated(genuine);
  refuseLate(genuine);
  refuseUnproven(rules, genuine);
  refuseOtherAccounts(set, genuine);
  return {
    set,
    genuine: genuine.map(({ statement }) => statement),
    corroborations: isHopeless ? corroborationsOf(rules, judgements) : corroborationsOf(rules, genuine),
    isVerified: !isHopeless,
    faults: faultsOf(judgements),
    primaryFault: primaryFaultOf(judgements),
    lies: [
      ...strangers,
      ...judgements.flatMap(({ isLie, speaker, fault }) => (isLie ? [`${speaker.name}: ${fault}`] : [])),
    ],
  };
}

/** Judges what a set amounts to. @param requiredSites that must be among those that corroborate */
export function judgeSet(rules: SetRules, judged: JudgedSet, requiredSites: ReadonlySet<string>): SetVerdict {
  const { set, corroborations, primaryFault } = judged;
  const quorum = quorumOf(rules, set, corroborations, requiredSites);
  const isAlone = rules.row.needsPrimary && primaryFault !== undefined;
  const shortfall = quorum.shortfall ?? (isAlone ? `the primary has not found the same: ${primaryFault}` : undefined);
  return { judged, quorum, shortfall };
}

function quorumOf(
  rules: SetRules,
  set: StatementSet,
  corroborations: readonly Corroboration[],
  requiredSites: ReadonlySet<string>,
): Quorum {
  return judgeQuorum(rules.row, {
    used: set.perspectives.length,
    vantages: set.perspectives.flatMap((name) => vantageOf(rules, name) ?? []),
    corroborations,
    requiredSites,
    primaryPlace: rules.primaryPlace,
  });
}

function vantageOf({ registry }: StatementRules, name: string): Vantage | undefined {
  const registered = registry.findPerspective(name);
  if (registered === undefined) return undefined;
  const { site, rir, latitude, longitude } = registered;
  return {
    name,
    site,
    rir,
    place: latitude === undefined || longitude === undefined ? undefined : { latitude, longitude },
  };
}

function corroborationsOf(rules: SetRules, judgements: readonly Judgement[]): readonly Corroboration[] {
  const found = new Map<string, Corroboration>();
  for (const { statement, speaker, fault } of judgements) {
    // The primary's key sits in the gate: whatever it says counts for nothing.
    if (speaker.kind === 'primary' || fault !== undefined) continue;
    const vantage = vantageOf(rules, speaker.name);
    if (vantage !== undefined) found.set(speaker.name, { vantage, foreignResolvers: foreignResolvers(statement) });
  }
  return [...found.values()];
}

function checkSignature(rules: SetRules, judgement: Judgement): boolean {
  const isGenuine = isSigned(rules, judgement.statement);
  if (!isGenuine) {
    judgement.isLie = true;
    judgement.fault = 'its signature does not verify';
  }
  return isGenuine;
}

/** mpic.md §3, point 2: one statement per perspective. Who said several things said nothing. */
function refuseRepeated(genuine: readonly Judgement[]): void {
  for (const same of Map.groupBy(genuine, ({ speaker }) => `${speaker.kind} ${speaker.name}`).values()) {
    if (same.length > 1) for (const judgement of same) judgement.fault = 'it made several statements in one attempt';
  }
}

/**
 * mpic.md §1: corroborations of an earlier attempt never count, whatever it is called: whoever moves routes at one place after
 * the other would otherwise need them all only one at a time.
 */
function refuseLate(genuine: readonly Judgement[]): void {
  const newest = Math.max(...genuine.map(({ statement }) => statement.finishedAt));
  for (const judgement of genuine) {
    if (judgement.statement.finishedAt < newest - attemptMs)
      judgement.fault ??= 'it is older than the rest of its attempt';
  }
}

function refuseUnproven({ row }: SetRules, genuine: readonly Judgement[]): void {
  if (row.dnssec === 'off') return;
  const proven = provenQuestions(genuine.map(({ statement }) => statement));
  for (const judgement of genuine) {
    const isMeant = (judgement.speaker.kind === 'primary') === (row.dnssecOf === 'primary');
    if (isMeant) judgement.fault ??= proofFault(row, judgement.statement, proven);
  }
}

/** mpic.md §1: the record of each perspective names the same account, though other parts of it may differ. */
function refuseOtherAccounts({ check, method }: StatementSet, genuine: readonly Judgement[]): void {
  if (check !== 'dcv' || method !== 'dns-persist-01') return;
  const sound = genuine.filter(({ fault }) => fault === undefined);
  const byAccount = [...Map.groupBy(sound, ({ statement }) => accountOfRecord(statement.payload.expected ?? ''))];
  const [, ...others] = byAccount.toSorted(([, a], [, b]) => b.length - a.length);
  for (const [, judgements] of others) {
    for (const judgement of judgements) judgement.fault = 'the record names another account than others saw';
  }
}

function faultsOf(judgements: readonly Judgement[]): ReadonlyMap<string, string> {
  const faults = new Map<string, string>();
  for (const { speaker, fault } of judgements) {
    if (speaker.kind === 'remote' && fault !== undefined) faults.set(speaker.name, fault);
  }
  return faults;
}

function primaryFaultOf(judgements: readonly Judgement[]): string | undefined {
  const own = judgements.filter(({ speaker }) => speaker.kind === 'primary');
  if (own.some(({ fault }) => fault === undefined)) return undefined;
  return own[0]?.fault ?? 'it made no statement';
}

/** Resolvers that do not stand beside their perspective. */
function foreignResolvers({ payload }: Statement): ReadonlySet<string> {
  return new Set(payload.dns.flatMap(({ resolver }) => (isLoopback(resolver) ? [] : [resolver])));
}

function isLoopback(resolver: string): boolean {
  return /^(?:127\.|\[?::1\b|localhost\b|unix:)/.test(resolver) || resolver === '';
}
