// Limits of what clients may ask for, RFC 8555 §6.6. They are taken in the commit that does what they limit, so that what
// is refused costs nothing, what fails for another reason counts nothing, and all copies of the gate count together.

import { formatIpAddress, parseIpAddress } from '@gatehouse/pkix/ip-address';
import type { Clock } from '@gatehouse/runtime/clock';
import type { StateOperation, StateStore } from '@gatehouse/runtime/database/state-store';
import { formatDuration } from '@gatehouse/runtime/duration';
import { getDomain } from 'tldts';
import type { OrderRate, RateSettings } from './config.ts';
import { AcmeError, type AcmeErrorOptions } from './errors.ts';
import type { Identifier } from './identifier.ts';
import {
  type Cell,
  chargeUnit,
  countNameFailure,
  forgetNameFailures,
  lowerArrival,
  readArrival,
  readArrivals,
  readPausedAmong,
  takeUnit,
} from './state/rate-limits.ts';

/** The new order that is to be counted. */
export type CountedOrder = {
  readonly accountId: string;
  readonly identifiers: readonly Identifier[];
  /** SHA-256 of the sorted identifiers, hexadecimal. */
  readonly identifiersDigest: string;
};

/** The limits of the gate. While they do not hold, there are no operations and nothing is refused. */
export type RateLimits = {
  /** For the commit that makes an account; fails it with AcmeError `rateLimited`. @param address of the client */
  forAccount(address: string): readonly StateOperation[];
  /**
   * For the commit that makes an order; fails it with AcmeError `rateLimited`. Not for orders that renew within the
   * window that the CA suggested (RFC 9773 §5).
   */
  forOrder(order: CountedOrder): readonly StateOperation[];
  /** For the commit that records a failed validation. @param name the identifier without `*.` */
  forFailure(accountId: string, name: string): readonly StateOperation[];
  /** For the commit that records a validation: earlier failures are forgotten. */
  forSuccess(accountId: string, name: string): readonly StateOperation[];
  /**
   * Refuses names whose validation failed too often lately, or for so long that they are paused.
   *
   * @param names identifiers without `*.`, 1 to 100
   * @throws {AcmeError} `rateLimited`
   */
  refuseFailing(accountId: string, names: readonly string[]): Promise<void>;
  /**
   * What a failed commit threw: a refusal of these limits with the exact time after which it is worth trying again (it
   * has the longest possible one before), anything else as it is.
   */
  explain(error: unknown): Promise<unknown>;
};

/** What {@link createRateLimits} takes. */
export type RateLimitOptions = {
  readonly settings: RateSettings;
  /** Whether they hold. */
  readonly isEnabled: boolean;
  readonly store: StateStore;
  readonly clock: Clock;
};

/** A limit with the key that it counts by and how to name it to a client. */
type Limit = { readonly key: string; readonly cell: Cell; readonly what: string };

/** A refusal that can still be made precise. */
class LimitReached extends AcmeError {
  readonly limit: Limit;

  constructor(limit: Limit, retryAfterMs: number, links: Pick<AcmeErrorOptions, 'links'>) {
    const retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
    const wait = formatDuration(retryAfterSeconds * 1000);
    super('rateLimited', `${limit.what}; try again in ${wait}`, { ...links, retryAfterSeconds });
    this.limit = limit;
  }
}

/** Creates the limits. */
export function createRateLimits({ settings, isEnabled, store, clock }: RateLimitOptions): RateLimits {
  const links = settings.help === undefined ? {} : { links: [{ url: settings.help, rel: 'help' }] };

  function take(limit: Limit): StateOperation {
    const { key, cell } = limit;
    // Nobody waits longer than one interval for the next unit.
    return takeUnit(key, cell, clock.now(), () => new LimitReached(limit, cell.intervalMs, links));
  }

  function limitOf(rate: OrderRate, kind: string, subject: string, what: string): Limit {
    return {
      key: `${kind}:${subject}`,
      cell: toCell(rate),
      what: `${what}: ${rate.count} in ${formatDuration(rate.per)}`,
    };
  }

  const failureLimit = (accountId: string, name: string): Limit =>
    limitOf(
      settings.failuresPerName,
      'failure',
      `${accountId}:${name}`,
      `too many failed validations of ${name} by this account`,
    );

  async function remainingMs({ key, cell }: Limit): Promise<number> {
    const now = clock.now();
    const excess = ((await readArrival(store, key)) ?? 0) + cell.intervalMs - now.getTime() - cell.toleranceMs;
    if (excess > cell.intervalMs) await store.commit([lowerArrival(key, cell, now)]);
    return Math.min(excess, cell.intervalMs);
  }

  return {
    forAccount: (address) => {
      if (!isEnabled) return [];
      const network = networkOf(address);
      return [take(limitOf(settings.accountsPerAddress, 'account', network, `too many new accounts from ${network}`))];
    },
    forOrder: ({ accountId, identifiers, identifiersDigest }) => {
      if (!isEnabled) return [];
      const { ordersPerAccount, ordersPerDomain, ordersPerNames } = settings;
      // In one order everywhere, so that two orders do not wait for each other crosswise.
      const domains = [...new Set(identifiers.map(registeredDomain))].sort();
      return [
        limitOf(ordersPerAccount, 'order', accountId, 'too many new orders of this account'),
        limitOf(ordersPerNames, 'names', identifiersDigest, 'too many new orders for exactly these names'),
        ...domains.map((domain) => limitOf(ordersPerDomain, 'domain', domain, `too many new orders for ${domain}`)),
      ].map(take);
    },
    forFailure: (accountId, name) => {
      if (!isEnabled) return [];
      const now = clock.now();
      const { key, cell } = failureLimit(accountId, name);
      const { pauseAfter } = settings;
      const paused = pauseAfter > 0 ? [countNameFailure(accountId, name, pauseAfter, now)] : [];
      return [chargeUnit(key, cell, now), ...paused];
    },
    forSuccess: (accountId, name) =>
      isEnabled && settings.pauseAfter > 0 ? [forgetNameFailures(accountId, name)] : [],
    refuseFailing: async (accountId, names) => {
      if (!isEnabled) return;
      const now = clock.now().getTime();
      const limits = names.map((name) => failureLimit(accountId, name));
      const keys = limits.map(({ key }) => key);
      const [arrivals, paused] = await Promise.all([
        readArrivals(store, keys),
        settings.pauseAfter > 0 ? readPausedAmong(store, accountId, names) : [],
      ]);
      const [name] = paused;
      if (name !== undefined) throw pausedName(name, links);
      for (const limit of limits) {
        const { intervalMs, toleranceMs } = limit.cell;
        const excess = (arrivals.get(limit.key) ?? 0) + intervalMs - now - toleranceMs;
        if (excess > 0) throw new LimitReached(limit, Math.min(excess, intervalMs), links);
      }
    },
    explain: async (error) =>
      error instanceof LimitReached ? new LimitReached(error.limit, await remainingMs(error.limit), links) : error,
  };
}

const dayMs = 86_400_000;

function pausedName(name: string, links: Pick<AcmeErrorOptions, 'links'>): AcmeError {
  const detail = `${name} is paused for this account: its validation failed too often on end. Ask the operator of this CA`;
  return new AcmeError('rateLimited', detail, { ...links, retryAfterSeconds: dayMs / 1000 });
}

/** Whole milliseconds, because that is what is stored. */
function toCell({ count, per }: OrderRate): Cell {
  const intervalMs = Math.max(1, Math.round(per / count));
  return { intervalMs, toleranceMs: intervalMs * count };
}

/** Whom an address belongs to: a site has a /48 of IPv6 at least (RFC 6177). */
function networkOf(address: string): string {
  const octets = parseIpAddress(address.split('%', 1)[0] ?? '');
  if (octets?.length !== 16) return address;
  return `${formatIpAddress(octets.fill(0, 6))}/48`;
}

/** The name that somebody registered, by ICANN's part of the public suffix list; the name itself where there is none. */
function registeredDomain({ type, value }: Identifier): string {
  if (type === 'ip') return networkOf(value);
  const name = value.startsWith('*.') ? value.slice(2) : value;
  return getDomain(name, { allowPrivateDomains: false, extractHostname: false, validateHostname: false }) ?? name;
}
