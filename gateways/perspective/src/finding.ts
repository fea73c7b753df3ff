// What a check found, in the form in which it is signed. Everything that strangers had a hand in is cut to fit: no server
// can make a statement too large, or one that its schema refuses, by what it answers.
import type { StatementPayload } from '@gatehouse/ra-client/perspective-statement';
import type { DnsLookup } from './dns/resolver.ts';
import type { Outcome, Seen } from './outcome.ts';
import { printable } from './printable.ts';
import type { CheckSubject } from './request.ts';

/** A statement without the holder, its labels and its build, which whoever signs it adds. */
export type Finding = Omit<StatementPayload, 'perspective' | 'site' | 'rir' | 'build'>;

/** What {@link createFinding} takes besides the question. */
export type FindingParts = {
  readonly check: 'dcv' | 'caa';
  readonly thumbprint: string;
  readonly token?: string | undefined;
  readonly expected?: string | undefined;
  readonly lookups: readonly DnsLookup[];
  readonly outcome: Outcome;
  readonly started: Date;
  readonly finished: Date;
};

// Characters of JSON of each list. With all the other members at their largest, a compact JWS stays below 16 KiB.
const largestDns = 4500;
const largestRedirects = 2000;
const largestRecords = 2000;
const maximumDnsEntries = 64;
const maximumAddresses = 32;
const maximumRecords = 64;

/** Puts a finding together. */
export function createFinding(subject: CheckSubject, parts: FindingParts): Finding {
  const { outcome, token } = parts;
  const { thumbprint = parts.thumbprint, ...seen } = fitSeen(outcome.seen);
  const expected = seen.expected ?? parts.expected;
  return {
    v: 1,
    attempt: subject.attempt.id,
    order: subject.attempt.order,
    authorization: subject.attempt.authorization,
    perspectives: [...subject.attempt.perspectives],
    check: parts.check,
    identifier: { ...subject.identifier },
    isWildcard: subject.isWildcard,
    method: subject.method,
    account: subject.accountUri,
    thumbprint,
    ...(token === undefined ? {} : { token }),
    result: outcome.result,
    ...(outcome.result === 'pass'
      ? {}
      : { problem: { type: outcome.problem.type, detail: fitText(outcome.problem.detail, 1024) } }),
    ...seen,
    ...(expected === undefined ? {} : { expected: fitText(expected, 1024) }),
    dns: fitLookups(parts.lookups),
    started: parts.started.toISOString(),
    finished: parts.finished.toISOString(),
  };
}

function fitSeen(seen: Seen): Seen {
  const { addresses, redirects, caa } = seen;
  return {
    ...seen,
    ...(addresses === undefined ? {} : { addresses: addresses.slice(0, maximumAddresses) }),
    ...(redirects === undefined
      ? {}
      : {
          redirects: lastThatFit(
            redirects.map((hop) => ({ ...hop, url: fitText(hop.url, 700) })),
            11,
            largestRedirects,
          ),
        }),
    ...(caa === undefined ? {} : { caa: { ...caa, ...fitRecords(caa.records) } }),
  };
}

function fitRecords(records: readonly string[] | undefined): { records?: string[] } {
  if (records === undefined) return {};
  return {
    records: lastThatFit(
      records.map((text) => fitText(text, 512)),
      maximumRecords,
      largestRecords,
    ),
  };
}

// The last queries decided. Those without AD stay before others: what is cut off must not hide from a policy that demands
// DNSSEC that an answer was not signed.
function fitLookups(lookups: readonly DnsLookup[]): DnsLookup[] {
  const entries = lookups.map((lookup, at) => ({ at, lookup: fitLookup(lookup) }));
  const [signed, unsigned] = [true, false].map((is) => entries.filter(({ lookup }) => lookup.isAuthenticated === is));
  const kept = lastThatFit([...(signed ?? []), ...(unsigned ?? [])], maximumDnsEntries, largestDns);
  return kept.sort((a, b) => a.at - b.at).map(({ lookup }) => lookup);
}

// A hundred queries of long names, each with sixteen long aliases, must not fill the statement.
function fitLookup(lookup: DnsLookup): DnsLookup {
  const { aliases, extendedError } = lookup;
  return {
    ...lookup,
    ...(extendedError === undefined ? {} : { extendedError: fitText(extendedError, 200) }),
    ...(aliases === undefined ? {} : { aliases: lastThatFit(aliases, 16, 1000) }),
  };
}

/** The last entries, which decided, as many as fit into `size` characters of JSON. */
function lastThatFit<Entry>(entries: readonly Entry[], maximum: number, size: number): Entry[] {
  const kept: Entry[] = [];
  let left = size;
  for (const entry of entries.slice(-maximum).reverse()) {
    left -= JSON.stringify(entry).length + 1;
    if (left < 0) break;
    kept.unshift(entry);
  }
  return kept;
}

/** At most `maximum` characters of JSON, in which quotes and backslashes take two. */
function fitText(text: string, maximum: number): string {
  const plain = printable(text, maximum);
  const excess = JSON.stringify(plain).length - 2 - maximum;
  return excess > 0 ? fitText(plain.slice(0, maximum - Math.max(excess, 8)), maximum) : plain;
}
