// Slows down whoever guesses passwords: after a few failures each further one doubles the time in which nothing is tried
// for that key (a user, an address). Its memory is bounded, and it must never be fed with what was not a guess.

import type { Clock } from '@gatehouse/runtime/clock';

/** How a {@link BackOff} behaves. */
export type BackOffOptions = {
  /** Failures that cost nothing: people mistype. */
  readonly freeFailures: number;
  /** How long the first failure after those shuts the key out. */
  readonly firstDelayMs: number;
  readonly maximumDelayMs: number;
  /** After this long without a failure the key is new again. */
  readonly forgetAfterMs: number;
  /** Keys that are remembered; the least recent failure is forgotten. 10 000 unless told. */
  readonly maximumKeys?: number | undefined;
  readonly clock: Clock;
};

type Failures = { readonly count: number; readonly lastAt: number; readonly blockedUntil: number };

/** Counts failures by key. */
export class BackOff {
  readonly #options: BackOffOptions;
  /** Least recent failure first. */
  readonly #failures = new Map<string, Failures>();

  constructor(options: BackOffOptions) {
    this.#options = options;
  }

  /** How long nothing may be tried for this key, milliseconds; 0 when it may. */
  remainingMs(key: string): number {
    const failures = this.#failures.get(key);
    if (failures === undefined) return 0;
    const now = this.#options.clock.now().getTime();
    // A clock that was set back must not shut a key out for longer than the longest delay.
    return Math.min(Math.max(failures.blockedUntil - now, 0), this.#options.maximumDelayMs);
  }

  /** A guess was wrong. */
  fail(key: string): void {
    const { freeFailures, firstDelayMs, maximumDelayMs, forgetAfterMs, maximumKeys = 10_000 } = this.#options;
    const now = this.#options.clock.now().getTime();
    const before = this.#failures.get(key);
    const count = before === undefined || now - before.lastAt > forgetAfterMs ? 1 : before.count + 1;
    const excess = count - freeFailures;
    const delay = excess <= 0 ? 0 : Math.min(firstDelayMs * 2 ** Math.min(excess - 1, 30), maximumDelayMs);
    this.#failures.delete(key);
    if (this.#failures.size >= maximumKeys) {
      const [oldest] = this.#failures.keys();
      if (oldest !== undefined) this.#failures.delete(oldest);
    }
    this.#failures.set(key, { count, lastAt: now, blockedUntil: now + delay });
  }

  /** The key proved itself. */
  succeed(key: string): void {
    this.#failures.delete(key);
  }
}
