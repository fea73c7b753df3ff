// A gate's own rate limits: how often an address or a requester may ask, before the keep is troubled at all.
// They protect the gate; what an RA as a whole may ask is limited by the keep.

import type { Clock } from '@gatehouse/runtime/clock';
import { RateLimiter } from '@gatehouse/runtime/rate-limit';
import { z } from 'zod';
import { textAnswer } from './answer.ts';
import { addressKey } from './connection-limits.ts';

/** Configuration of one limit. */
export const rateSchema = z.strictObject({
  /** Sustained rate. */
  perSecond: z.number().positive(),
  /** How many at once after a pause. */
  burst: z.number().int().min(1),
});

/** One limit. */
export type Rate = z.output<typeof rateSchema>;

/** Limits by address (by /64 for IPv6) and by requester. */
export type GateRateLimits = {
  /** @returns the refusal, or undefined when the request may go on */
  takeForAddress(address: string): Response | undefined;
  /** @returns the refusal, or undefined when the request may go on */
  takeForRequester(requester: string): Response | undefined;
};

/** Creates the limits of a gate; a limit that is not given does not limit. */
export function createGateRateLimits(
  rates: { readonly address?: Rate | undefined; readonly requester?: Rate | undefined },
  clock?: Clock,
): GateRateLimits {
  const addresses = createLimiter(rates.address, clock);
  const requesters = createLimiter(rates.requester, clock);
  return {
    takeForAddress: (address) => take(addresses, addressKey(address)),
    takeForRequester: (requester) => take(requesters, requester),
  };
}

/** 429 with Retry-After in whole seconds. */
export function tooManyRequests(retryAfterMs: number): Response {
  return textAnswer(429, 'too many requests', { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) });
}

function createLimiter(rate: Rate | undefined, clock: Clock | undefined): RateLimiter | undefined {
  return rate === undefined ? undefined : new RateLimiter({ ratePerSecond: rate.perSecond, burst: rate.burst, clock });
}

function take(limiter: RateLimiter | undefined, key: string): Response | undefined {
  const decision = limiter?.take(key);
  return decision === undefined || decision.ok ? undefined : tooManyRequests(decision.retryAfterMs);
}
