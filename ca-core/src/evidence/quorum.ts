/**
 * Whether enough distinct perspectives agree (mpic.md §1 and §4, BR §3.2.2.9). It knows places and names, no statements: who
 * corroborates has been decided before. Whoever was to be asked counts as used, whatever became of the answer, and the
 * perspective inside of a gate is never given to these functions.
 */
import { distanceKilometres, type Place } from '@gatehouse/proto/distance';
import { allowedFailures, type PolicyRow } from './policies/policy.ts';

/** A remote perspective by its labels in the registry. */
export type Vantage = {
  readonly name: string;
  readonly site: string;
  /** Empty in private networks. */
  readonly rir: string;
  readonly place: Place | undefined;
};

/** A perspective that found the same as the others. */
export type Corroboration = {
  readonly vantage: Vantage;
  /** Resolvers that it asked which do not stand beside it. */
  readonly foreignResolvers: ReadonlySet<string>;
};

/** What was asked for and came back. */
export type Attempt = {
  /** How many remote perspectives the attempt was to use. */
  readonly used: number;
  /** Those of them that are registered. */
  readonly vantages: readonly Vantage[];
  readonly corroborations: readonly Corroboration[];
  /** Sites that must be among the corroborating ones. */
  readonly requiredSites: ReadonlySet<string>;
  /** Where the primary stands, if that is known. */
  readonly primaryPlace: Place | undefined;
};

/** How an attempt stands. */
export type Quorum = {
  /** Names of the perspectives that count: distinct, and corroborating. */
  readonly counted: readonly string[];
  /** Service regions among them, sorted. */
  readonly registries: readonly string[];
  /** How many would have to count. */
  readonly needed: number;
  /** What is missing; nothing when the quorum is met. */
  readonly shortfall: string | undefined;
};

/** Judges an attempt. */
export function judgeQuorum(row: PolicyRow, attempt: Attempt): Quorum {
  const distinctUsed = largestDistinct(attempt.vantages, (a, b) => areDistinct(row, a, b), isEligible(row, attempt));
  const needed = Math.max(1, attempt.used - allowedFailures(row, distinctUsed.length));
  const counted = choose(row, attempt, needed);
  const registries = registriesOf(counted);
  const result = { counted: counted.map(({ name }) => name).sort(), registries, needed };
  return { ...result, shortfall: shortfallOf(row, attempt, distinctUsed.length, counted, needed) };
}

function shortfallOf(
  row: PolicyRow,
  attempt: Attempt,
  distinctUsed: number,
  counted: readonly Vantage[],
  needed: number,
): string | undefined {
  if (distinctUsed < row.remotes) {
    return `the attempt used ${distinctUsed} distinct remote perspectives where ${row.version} demands ${row.remotes}`;
  }
  if (counted.length < needed) {
    return `${counted.length} of ${attempt.used} remote perspectives corroborated where ${needed} are needed`;
  }
  const registries = registriesOf(counted).length;
  if (registries < row.registries) {
    return `corroborated from ${registries} RIR regions where ${row.registries} are needed`;
  }
  const missing = missingSites(attempt, counted);
  return missing.length === 0 ? undefined : `it was not corroborated from ${missing.join(', ')}`;
}

/** The distinct corroborating perspectives that count: as many as possible that meet the demands; else as many as possible. */
function choose(row: PolicyRow, attempt: Attempt, needed: number): readonly Vantage[] {
  const score = (chosen: readonly Vantage[]): number => {
    const isEnough = chosen.length >= needed && registriesOf(chosen).length >= row.registries;
    return chosen.length + (isEnough && missingSites(attempt, chosen).length === 0 ? attempt.used : 0);
  };
  const eligible = attempt.corroborations.filter(({ vantage }) => isEligible(row, attempt)(vantage));
  const byName = new Map(eligible.map((each) => [each.vantage.name, each]));
  const isApart = (a: Vantage, b: Vantage): boolean =>
    areDistinct(row, a, b) && !shareResolver(row, byName.get(a.name), byName.get(b.name));
  return largestDistinct(
    eligible.map(({ vantage }) => vantage),
    isApart,
    () => true,
    score,
  );
}

/** BR §3.2.2.9: remotes are distinct from the primary too, and one whose place nobody knows is distinct from nobody. */
function isEligible({ distinctBy }: PolicyRow, { primaryPlace }: Attempt): (vantage: Vantage) => boolean {
  if (distinctBy.kind === 'site') return () => true;
  return ({ place }) =>
    place !== undefined &&
    primaryPlace !== undefined &&
    distanceKilometres(place, primaryPlace) >= distinctBy.kilometres;
}

/** Whether two perspectives count as two. */
export function areDistinct({ distinctBy }: Pick<PolicyRow, 'distinctBy'>, a: Vantage, b: Vantage): boolean {
  if (distinctBy.kind === 'site') return a.site !== b.site;
  if (a.place === undefined || b.place === undefined) return false;
  return distanceKilometres(a.place, b.place) >= distinctBy.kilometres;
}

/** BR §3.2.2.9: two resolvers of one attempt are 500 km apart, so two perspectives that ask the same one are one. */
function shareResolver({ distinctBy }: PolicyRow, a: Corroboration | undefined, b: Corroboration | undefined): boolean {
  if (distinctBy.kind === 'site' || a === undefined || b === undefined) return false;
  return !a.foreignResolvers.isDisjointFrom(b.foreignResolvers);
}

/** The best set of vantages of which each two are apart. */
function largestDistinct(
  vantages: readonly Vantage[],
  isApart: (a: Vantage, b: Vantage) => boolean,
  isEligible: (vantage: Vantage) => boolean,
  score: (chosen: readonly Vantage[]) => number = (chosen) => chosen.length,
): readonly Vantage[] {
  const candidates = vantages.filter(isEligible);
  const conflicts = candidates.map((a) => candidates.filter((b) => a !== b && !isApart(a, b)));
  const free = candidates.filter((_, i) => conflicts[i]?.length === 0);
  const contested = candidates.filter((_, i) => conflicts[i]?.length !== 0);
  // Mostly nobody is too close to anybody. Else at most 16 names stand in a statement, so trying all choices is cheap.
  if (contested.length === 0) return free;
  let best: readonly Vantage[] = free;
  let bestScore = score(free);
  const extend = (chosen: readonly Vantage[], next: number): void => {
    const candidate = contested[next];
    if (candidate === undefined) {
      const found = score(chosen);
      if (found > bestScore) [best, bestScore] = [chosen, found];
      return;
    }
    if (chosen.every((each) => isApart(each, candidate))) extend([...chosen, candidate], next + 1);
    extend(chosen, next + 1);
  };
  extend(free, 0);
  return best;
}

function registriesOf(vantages: readonly Vantage[]): readonly string[] {
  return [...new Set(vantages.flatMap(({ rir }) => (rir === '' ? [] : [rir])))].sort();
}

function missingSites({ requiredSites }: Attempt, counted: readonly Vantage[]): readonly string[] {
  const seen = new Set(counted.map(({ site }) => site));
  return [...requiredSites].filter((site) => !seen.has(site));
}
