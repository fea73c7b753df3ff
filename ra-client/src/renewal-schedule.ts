// When to renew something that ends: at a random moment before half of its life, and after a failure again and again with growing pauses.
// It knows no certificates; it only keeps time, and it keeps it also over a clock that is set and a machine that slept.

import { type Clock, systemClock } from '@gatehouse/runtime/clock';

/** From when to when something is valid. */
export type Life = { readonly notBefore: Date; readonly notAfter: Date };

/** What {@link renewInTime} takes. */
export type RenewalOptions = {
  /** Renews. Once it has, `life` tells the new life. */
  readonly renew: () => Promise<void>;
  readonly life: () => Life;
  /** Called after a failure; the next attempt is at `nextAttempt`. */
  readonly onFailure: (error: unknown, nextAttempt: Date) => void;
  readonly clock?: Clock | undefined;
  /** A number from 0 to 1, for jitter; Math.random unless told. */
  readonly random?: (() => number) | undefined;
  /** Pause after the first failure, doubled with each; 5 000 unless told. */
  readonly firstPauseMs?: number | undefined;
};

/** A running schedule. */
export type Renewal = {
  /** The life has changed by other means: plan anew. */
  replan(): void;
  close(): void;
};

// Parties that started together must not renew together; all of them are done before half of the life.
const earliestShare = 0.35;
const latestShare = 0.48;
const longestPauseMs = 300_000;
// Timers see neither a sleeping machine nor a clock that was set: the clock is looked at again at least this often.
const longestTimerMs = 60_000;

/** When to renew something with this life, epoch milliseconds. @param jitter 0 to 1 */
export function renewalTime({ notBefore, notAfter }: Life, jitter: number): number {
  const lifeMs = notAfter.getTime() - notBefore.getTime();
  return notBefore.getTime() + lifeMs * (earliestShare + (latestShare - earliestShare) * jitter);
}

/** Pause before the next attempt after so many failures, without jitter. */
export function pauseAfterFailures(failures: number, firstPauseMs: number): number {
  return Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(Math.max(0, failures - 1), 20));
}

/** Renews now if it is due, and from then on in time. */
export function renewInTime(options: RenewalOptions): Renewal {
  const { renew, life, onFailure, clock = systemClock, random = Math.random, firstPauseMs = 5_000 } = options;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let isRenewing = false;
  let failures = 0;
  let dueAt = renewalTime(life(), random());

  const schedule = (): void => {
    clearTimeout(timer);
    if (isClosed || isRenewing) return;
    timer = setTimeout(look, Math.min(Math.max(0, dueAt - clock.now().getTime()), longestTimerMs));
    timer.unref();
  };
  const look = (): void => {
    if (clock.now().getTime() < dueAt) schedule();
    else attempt();
  };
  const attempt = async (): Promise<void> => {
    isRenewing = true;
    try {
      await renew();
      failures = 0;
      dueAt = renewalTime(life(), random());
    } catch (error) {
      failures++;
      dueAt = clock.now().getTime() + pauseAfterFailures(failures, firstPauseMs) * (0.75 + random() / 2);
      onFailure(error, new Date(dueAt));
    } finally {
      isRenewing = false;
      schedule();
    }
  };
  schedule();
  return {
    replan: () => {
      dueAt = renewalTime(life(), random());
      schedule();
    },
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
