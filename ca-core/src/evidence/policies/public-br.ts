/**
 * The policy `public-br`: multi-perspective issuance corroboration as the CA/Browser Forum Baseline Requirements demand it,
 * read in version 2.2.6. Dates, numbers and distances stand here and nowhere else; it is enforced or not used at all.
 */
import type { Policy, PolicyRow } from './policy.ts';

const dayMs = 86_400_000;

/**
 * BR §3.2.2.9: remote perspectives and service regions among the corroborating ones, by date; BR §4.2.1: days for which a
 * validation may be used again. In the first half year the quorum was only monitored; here it counts from the beginning.
 */
const table: readonly (readonly [from: string, remotes: number, registries: number, reuseDays: number])[] = [
  ['2025-03-15', 2, 0, 398],
  ['2025-09-15', 2, 0, 398],
  ['2026-03-15', 3, 2, 200],
  ['2026-06-15', 4, 2, 200],
  ['2026-12-15', 5, 2, 200],
  ['2027-03-15', 5, 2, 100],
  ['2029-03-15', 5, 2, 10],
];

/** BR §3.2.2.9, 'quorum requirements': of two to five one may fail to corroborate, of six or more two. */
const failures: PolicyRow['failures'] = [
  { used: 2, allowed: 1 },
  { used: 6, allowed: 2 },
];

/** BR §3.2.2.9: remotes are distinct from so many kilometres of straight line on. */
const distinctKilometres = 500;

/** BR §3.2.2.4.22: a persistent record is looked at again after so many days. */
const persistReuseDays = 10;

const rows = table.map(
  ([date, remotes, registries, reuseDays]): PolicyRow => ({
    from: Date.parse(date),
    version: `public-br@${date}`,
    remotes,
    failures,
    registries,
    distinctBy: { kind: 'distance', kilometres: distinctKilometres },
    caa: 'on',
    dnssec: 'on',
    // BR §3.2.2.4, §3.2.2.8.1: the primary validates every query, remotes MAY.
    dnssecOf: 'primary',
    needsPrimary: true,
    requiredSites: [],
    maximumReuseMs: reuseDays * dayMs,
    maximumPersistReuseMs: persistReuseDays * dayMs,
  }),
);
const [first, ...later] = rows;
if (first === undefined) throw new RangeError('the table of public-br has no row');

/** The policy for publicly trusted certificates. */
export const publicBr: Policy = { name: 'public-br', rules: 'BR-2.2.6', isEnforceOnly: true, rows: [first, ...later] };
