/** Wakes those that wait for something new, all at once; who was not waiting has missed nothing, because it looks first. */

/** Joins those that publish with those that follow. */
export type Notifier = {
  /** Something is new. */
  notify(): void;
  /** Until something is new, or so many milliseconds are over. */
  wait(timeoutMs: number): Promise<void>;
};

/** A notifier for which nobody waits. */
export function createNotifier(): Notifier {
  let waiting: (() => void)[] = [];
  return {
    notify() {
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    },
    wait: (timeoutMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => {
          waiting = waiting.filter((other) => other !== wake);
          resolve();
        }, timeoutMs);
        const wake = (): void => {
          clearTimeout(timer);
          resolve();
        };
        waiting.push(wake);
      }),
  };
}
