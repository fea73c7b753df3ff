// The only source of the current time: whoever needs to know what time it is takes a Clock, so that a test can set it.
// Code outside of this module must never call Date.now() or new Date() for a decision.

/** Tells the time. */
export type Clock = {
  /** The current time, UTC, millisecond precision. */
  now(): Date;
};

/** The clock of the machine. */
export const systemClock: Clock = { now: () => new Date() };

/** A clock that stands still until it is told to move: for tests. */
export type ManualClock = Clock & {
  /** Moves the clock by `ms` milliseconds; a negative number moves it back. */
  advance(ms: number): void;
  /** Sets the clock. */
  set(time: Date): void;
};

/** Creates a {@link ManualClock} that shows `start`. */
export function createManualClock(start: Date): ManualClock {
  let current = start.getTime();
  return {
    now: () => new Date(current),
    advance: (ms) => {
      current += ms;
    },
    set: (time) => {
      current = time.getTime();
    },
  };
}
