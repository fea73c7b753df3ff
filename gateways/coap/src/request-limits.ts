// How much the clients of this gate may ask of it: requests in work altogether, and how often an address and a requester may
// ask. What an RA as a whole may ask is limited by the keep.

import { addressKey } from '@gatehouse/gateway-kit/connection-limits';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import type { Rate } from '@gatehouse/gateway-kit/rate-limit';
import type { Clock } from '@gatehouse/runtime/clock';
import { RateLimiter } from '@gatehouse/runtime/rate-limit';

/** The limits of {@link createRequestLimits}. */
export type RequestLimits = {
  /** Requests in work now. */
  readonly inWork: number;
  /**
   * Takes a place for a request.
   *
   * @param from its address
   * @returns gives the place back; undefined when all are taken, or those that one address may have
   */
  begin(from: string): (() => void) | undefined;
  /** Takes no more requests, and resolves when none is in work, or after the time. */
  drain(timeoutMs: number): Promise<void>;
  /** @throws {EstError} `too-many-requests` */
  takeForAddress(address: string): void;
  /** @throws {EstError} `too-many-requests` */
  takeForRequester(requester: string): void;
};

/** What {@link createRequestLimits} takes. */
export type RequestLimitOptions = {
  /** Requests in work at once. */
  readonly requests: number;
  /** Those of one address, or /64 of IPv6; all of them unless told. */
  readonly requestsPerAddress?: number | undefined;
  readonly address?: Rate | undefined;
  readonly requester?: Rate | undefined;
  readonly clock: Clock;
};

/** Makes the limits; a rate that is not given does not limit. */
export function createRequestLimits(options: RequestLimitOptions): RequestLimits {
  const { requests, requestsPerAddress = requests, address, requester, clock } = options;
  const addresses = createLimiter(address, clock);
  const requesters = createLimiter(requester, clock);
  const idle = Promise.withResolvers<void>();
  const inWorkOf = new Map<string, number>();
  let inWork = 0;
  let isDraining = false;
  return {
    get inWork() {
      return inWork;
    },
    begin: (from) => {
      const key = addressKey(from);
      const own = inWorkOf.get(key) ?? 0;
      if (isDraining || inWork >= requests || own >= requestsPerAddress) return undefined;
      inWork++;
      inWorkOf.set(key, own + 1);
      return () => {
        inWork--;
        const left = (inWorkOf.get(key) ?? 1) - 1;
        if (left > 0) inWorkOf.set(key, left);
        else inWorkOf.delete(key);
        if (isDraining && inWork === 0) idle.resolve();
      };
    },
    drain: async (timeoutMs) => {
      isDraining = true;
      if (inWork === 0) return;
      const deadline = setTimeout(() => idle.resolve(), timeoutMs);
      await idle.promise;
      clearTimeout(deadline);
    },
    takeForAddress: (from) => take(addresses, addressKey(from)),
    takeForRequester: (by) => take(requesters, by),
  };
}

function createLimiter(rate: Rate | undefined, clock: Clock): RateLimiter | undefined {
  return rate === undefined ? undefined : new RateLimiter({ ratePerSecond: rate.perSecond, burst: rate.burst, clock });
}

function take(limiter: RateLimiter | undefined, key: string): void {
  const decision = limiter?.take(key);
  if (decision === undefined || decision.ok) return;
  throw new EstError('too-many-requests', 'too many requests', { retryAfterSeconds: decision.retryAfterMs / 1000 });
}
