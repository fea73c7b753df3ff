// Log lines that clients can cause as often as they like: some are written, the rest is counted and told with the next one.
// A flood of bad requests must neither fill the disk nor take the time of good ones.

import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import { RateLimiter } from '@gatehouse/runtime/rate-limit';

type Level = 'info' | 'warn';

/** Writes at most a line a second of each kind, after a burst of twenty. */
export class SparingLog {
  readonly #log: Logger;
  readonly #limiter: RateLimiter;
  readonly #leftOut = new Map<string, number>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#limiter = new RateLimiter({ ratePerSecond: 1, burst: 20, clock });
  }

  /** @param message also the kind of line: from a fixed set */
  info(facts: Readonly<Record<string, unknown>>, message: string): void {
    this.#write('info', facts, message);
  }

  /** @param message also the kind of line: from a fixed set */
  warn(facts: Readonly<Record<string, unknown>>, message: string): void {
    this.#write('warn', facts, message);
  }

  #write(level: Level, facts: Readonly<Record<string, unknown>>, message: string): void {
    const leftOut = this.#leftOut.get(message) ?? 0;
    if (!this.#limiter.take(message).ok) {
      this.#leftOut.set(message, leftOut + 1);
      return;
    }
    this.#leftOut.delete(message);
    this.#log[level](leftOut === 0 ? facts : { ...facts, leftOut }, message);
  }
}
