// What one check stands on: the parts of the perspective that it may use, its time limit, and the list of queries that it
// made, which goes into the statement whatever comes of it. Nothing of it outlives the check (mpic.md §2.3).
import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import type { AddressPolicy } from './address-policy.ts';
import type { QueriedType } from './dns/message.ts';
import type { DnsAnswer, DnsLookup, DnsResolver, DnsValues } from './dns/resolver.ts';

/** What a perspective looks with. */
export type LookingParts = {
  readonly resolver: DnsResolver;
  readonly addressPolicy: AddressPolicy;
  /** Where http-01 and redirects to http connect to: 80, but for trying out. */
  readonly httpPort: number;
  /** Where tls-alpn-01 and redirects to https connect to: 443, but for trying out. */
  readonly tlsPort: number;
  /** Names of this CA in CAA and dns-persist-01 records; never taken from a caller. */
  readonly issuerDomainNames: readonly string[];
  /**
   * dns-persist-01 -02: what stands before `sha-256/` in `accounturi`. Without, any https URI may stand there: the digest
   * after it names the account's whole URL.
   */
  readonly accountHashPrefix?: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<LookingLimits> | undefined;
};

/** Time limits, milliseconds. */
export type LookingLimits = {
  /** One connection to one address. */
  readonly connectMs: number;
  /** http-01 as a whole, redirects included; tls-alpn-01 as a whole. DNS included. */
  readonly methodMs: number;
};

const defaultLimits: LookingLimits = { connectMs: 3000, methodMs: 10_000 };
/** No check runs longer, whatever the caller's deadline. */
const longestCheckMs = 60_000;

/** One check under way. */
export type Look = {
  readonly parts: LookingParts;
  readonly limits: LookingLimits;
  /** Ends at the deadline. */
  readonly signal: AbortSignal;
  /** Queries so far. */
  readonly lookups: readonly DnsLookup[];
  /** Asks, and writes down what was answered. */
  query<Type extends QueriedType>(name: string, type: Type): Promise<DnsAnswer<DnsValues[Type]>>;
};

/** Begins a check that must end by `deadline`; one that connects to the name, within `methodMs`. */
export function startLook(parts: LookingParts, deadline: Date, connects: boolean): Look {
  const limits = { ...defaultLimits, ...parts.limits };
  const left = deadline.getTime() - parts.clock.now().getTime();
  const ms = Math.max(0, Math.min(left, connects ? limits.methodMs : longestCheckMs));
  const signal = AbortSignal.timeout(Math.trunc(ms));
  const lookups: DnsLookup[] = [];
  return {
    parts,
    limits,
    signal,
    lookups,
    async query(name, type) {
      const answer = await parts.resolver.query(name, type, signal);
      lookups.push(answer.lookup);
      return answer;
    },
  };
}
