/**
 * Word to the jobs that publish status that something was committed for them. It carries no facts: they read the database,
 * so that a word that is lost is made good by the next one.
 */

/** Joins those that commit with those that publish. */
export type StatusFeed = {
  /** To be called after a commit that issued a certificate or changed a status; cheap, and never throws. */
  wake(): void;
  /** @param listener is called once in a turn of the event loop, however often it was woken */
  onWake(listener: () => void): void;
};

/** Starts without listeners. */
export function createStatusFeed(): StatusFeed {
  const listeners: (() => void)[] = [];
  let isScheduled = false;
  return {
    wake() {
      if (isScheduled) return;
      isScheduled = true;
      setImmediate(() => {
        isScheduled = false;
        for (const listener of listeners) listener();
      });
    },
    onWake(listener) {
      listeners.push(listener);
    },
  };
}
