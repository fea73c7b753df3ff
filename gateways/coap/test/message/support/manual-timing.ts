// Time that stands still until a test moves it, for the message layer.

import type { Timing } from '../../../src/message/timing.ts';

type Timer = { readonly at: number; readonly work: () => void };

/** A {@link Timing} in the hands of a test. */
export class ManualTiming implements Timing {
  #now = 1_000;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, work: () => void): () => void {
    const timer = { at: this.#now + delayMs, work };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves on by `ms`, and does on the way what is due, in its order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    while (this.#runNext(end));
    this.#now = end;
  }

  /** Moves on to the next timer and does its work. @returns false when there is none */
  runNext(): boolean {
    return this.#runNext(Number.POSITIVE_INFINITY);
  }

  #runNext(end: number): boolean {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
    if (next === undefined) return false;
    this.#timers.delete(next);
    this.#now = Math.max(this.#now, next.at);
    next.work();
    return true;
  }
}
