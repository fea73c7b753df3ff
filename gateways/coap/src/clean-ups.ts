// Work that goes on when its request has been answered, such as the revocation of a certificate whose key was never fetched. The
// process waits for it before it lets go of the keep.

/** The work of {@link createCleanUps}. */
export type CleanUps = {
  /** Counts the work until it has ended, and gives it back. */
  track(work: Promise<void>): Promise<void>;
  /** Resolves when nothing is left, or after the time. */
  settled(timeoutMs: number): Promise<void>;
};

/** Makes an empty list. */
export function createCleanUps(): CleanUps {
  const open = new Set<Promise<void>>();
  return {
    track: (work) => {
      open.add(work);
      return work.finally(() => open.delete(work));
    },
    settled: async (timeoutMs) => {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const deadline = setTimeout(resolve, timeoutMs);
      await Promise.race([Promise.allSettled(open), late]);
      clearTimeout(deadline);
    },
  };
}
