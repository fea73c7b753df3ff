// Rate limits by the generic cell rate algorithm: one number a key (the theoretical arrival time), exact, without
// timers. Its memory is bounded: a flood of new keys makes it forget the oldest ones, never makes the process grow.

import { type Clock, systemClock } from './clock.ts';

/** What a limiter is made with. */
export type RateLimiterOptions = {
  /** Sustained rate, in units of cost per second; may be a fraction. */
  readonly ratePerSecond: number;
  /** How much may be taken at once after a pause, in units of cost; at least 1. */
  readonly burst: number;
  readonly clock?: Clock | undefined;
  /** How many keys are remembered; the oldest is forgotten. 100 000 unless told (some 10 MB). */
  readonly maximumKeys?: number | undefined;
};

/** Whether the caller may go on, and if not, when it is worth trying again. */
export type RateLimitDecision = { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number };

const granted: RateLimitDecision = { ok: true };

/**
 * Limits how often something may happen for each key.
 *
 * @example
 * const limiter = new RateLimiter({ ratePerSecond: 5, burst: 20 });
 * const decision = limiter.take(address);
 * if (!decision.ok) return tooManyRequests(decision.retryAfterMs);
 */
export class RateLimiter {
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  readonly #clock: Clock;
  readonly #maximumKeys: number;
  /** Theoretical arrival time of each key, epoch milliseconds (with fractions), least recently used first. */
  readonly #arrivals = new Map<string, number>();

  constructor(options: RateLimiterOptions) {
    const { ratePerSecond, burst, clock = systemClock, maximumKeys = 100_000 } = options;
    if (!(ratePerSecond > 0 && Number.isFinite(ratePerSecond))) throw new RangeError('ratePerSecond must be above 0');
    if (!(burst >= 1 && Number.isFinite(burst))) throw new RangeError('burst must be at least 1');
    if (!(Number.isSafeInteger(maximumKeys) && maximumKeys >= 1))
      throw new RangeError('maximumKeys must be at least 1');
    this.#intervalMs = 1000 / ratePerSecond;
    this.#toleranceMs = burst * this.#intervalMs;
    this.#clock = clock;
    this.#maximumKeys = maximumKeys;
  }

  /** How many keys are remembered now. */
  get size(): number {
    return this.#arrivals.size;
  }

  /**
   * Takes `cost` units for `key`, or nothing at all. A cost above the burst is never granted.
   *
   * @param cost above 0
   */
  take(key: string, cost = 1): RateLimitDecision {
    if (!(cost > 0)) throw new RangeError('cost must be above 0');
    const now = this.#clock.now().getTime();
    const remembered = this.#arrivals.get(key);
    // A clock that was set back would otherwise shut a key out for as long as it was set back: no key can owe more than
    // a full burst.
    const arrival = remembered === undefined ? now : Math.min(Math.max(remembered, now), now + this.#toleranceMs);
    const next = arrival + cost * this.#intervalMs;
    const excess = next - now - this.#toleranceMs;
    // Thousandths of a millisecond are rounding of the division above, not requests.
    if (excess > 1e-3) {
      if (remembered !== undefined) this.#remember(key, arrival, now);
      return { ok: false, retryAfterMs: Math.ceil(Math.min(excess, this.#toleranceMs)) };
    }
    this.#remember(key, next, now);
    return granted;
  }

  #remember(key: string, arrival: number, now: number): void {
    this.#arrivals.delete(key);
    if (this.#arrivals.size >= this.#maximumKeys) this.#forget(now);
    this.#arrivals.set(key, arrival);
  }

  /** Drops keys that owe nothing any more from the oldest end, a few at a time; if there is none, the oldest. */
  #forget(now: number): void {
    let seen = 0;
    for (const [key, arrival] of this.#arrivals) {
      if (arrival <= now || seen === 0) this.#arrivals.delete(key);
      if (++seen === 8) return;
    }
  }
}
