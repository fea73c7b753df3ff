/**
 * What a policy of domain validation is: data that quorum.ts judges by (mpic.md §4, BR §3.2.2.9). A policy is a list of
 * rows, each of which counts from a date on until the next one does; it must never decide anything by itself, and never
 * hold a row that the perspective inside of a gate could satisfy alone.
 */

/** Whether something is demanded: always, never, or where the zone is signed (RFC 4035). */
export type Demand = 'on' | 'off' | 'where-signed';

/** What counts from a date on. */
export type PolicyRow = {
  /** Epoch milliseconds; the first row also counts before. */
  readonly from: number;
  /** Name of the policy and date of the row: `public-br@2026-06-15`; the name alone where there is one row. */
  readonly version: string;
  /** Remote perspectives that each attempt uses at least, distinct from each other. */
  readonly remotes: number;
  /**
   * How many of them may fail to corroborate, by how many distinct ones are used; ascending. The last row that is reached
   * counts.
   */
  readonly failures: readonly { readonly used: number; readonly allowed: number }[];
  /** Service regions of Regional Internet Registries among those that corroborate. */
  readonly registries: number;
  /** What makes two perspectives distinct: so many kilometres between them, or sites of different names. */
  readonly distinctBy: { readonly kind: 'distance'; readonly kilometres: number } | { readonly kind: 'site' };
  readonly caa: Demand;
  readonly dnssec: Demand;
  /** Whose queries DNSSEC is demanded of: under the Baseline Requirements the primary's, remotes MAY (§3.2.2.4). */
  readonly dnssecOf: 'primary' | 'remotes';
  /** Whether the primary has to have found the same; it never counts. */
  readonly needsPrimary: boolean;
  /** Names below a zone must be seen from these sites. */
  readonly requiredSites: readonly RequiredSites[];
  /** The longest time for which a validation may be used again, whatever the profile says; absent: no bound. */
  readonly maximumReuseMs?: number;
  /** The same for dns-persist-01. */
  readonly maximumPersistReuseMs?: number;
};

/** `plant.example` is the name itself and all below it. */
export type RequiredSites = { readonly zone: string; readonly sites: readonly string[] };

/** A policy. */
export type Policy = {
  readonly name: string;
  /** Version of the document that it follows, for the record: `BR-2.2.6` (BR §3.2.2.4). */
  readonly rules?: string;
  /** Whether profiles may only enforce it. */
  readonly isEnforceOnly: boolean;
  /** Ascending by `from`; never empty. */
  readonly rows: readonly [PolicyRow, ...PolicyRow[]];
};

/** The row that counts at `now`. */
export function rowAt({ rows }: Policy, now: Date): PolicyRow {
  return rows.findLast(({ from }) => from <= now.getTime()) ?? rows[0];
}

/** How many of `used` distinct perspectives may fail to corroborate. */
export function allowedFailures({ failures }: Pick<PolicyRow, 'failures'>, used: number): number {
  return failures.findLast((row) => row.used <= used)?.allowed ?? 0;
}

/** Sites from which a name must be seen. @param name a DNS name without `*.`, lower case, or an address */
export function sitesFor({ requiredSites }: Pick<PolicyRow, 'requiredSites'>, name: string): ReadonlySet<string> {
  const sites = new Set<string>();
  for (const rule of requiredSites) {
    if (name === rule.zone || name.endsWith(`.${rule.zone}`)) for (const site of rule.sites) sites.add(site);
  }
  return sites;
}
