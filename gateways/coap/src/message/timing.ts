// How the message layer waits: monotonic time and one alarm, so that a test can do both and a clock that is set keeps nobody
// waiting. It must never hold the process.

/** Tells how time passes. */
export type Timing = {
  /** Milliseconds since some moment; never goes back. */
  now(): number;
  /** Does `work` once after `delayMs`. @returns what cancels it */
  after(delayMs: number, work: () => void): () => void;
};

/** The time of the process. */
export const processTiming: Timing = {
  now: () => performance.now(),
  after: (delayMs, work) => {
    const timer = setTimeout(work, delayMs).unref();
    return () => clearTimeout(timer);
  },
};
