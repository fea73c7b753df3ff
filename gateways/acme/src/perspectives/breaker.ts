// Takes perspectives that do not answer out of the next selection (mpic.md §4), for a while, with an alarm. It never acts
// within an attempt, where every perspective that was chosen counts; and the selection never goes below its minimum for it.

import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';

/** What is known about who answers. */
export type Breaker = {
  /** A statement came that is believed, whatever it says. */
  answered(name: string): void;
  /** No statement came, or one that is not believed. */
  missed(name: string): void;
  /** Whether a perspective should be left out where others are enough. */
  isOpen(name: string): boolean;
  /** Names that are left out now. */
  open(): readonly string[];
};

const missesUntilOpen = 3;
const openMs = 30_000;

/** Makes a breaker. */
export function createBreaker(clock: Clock, log: Logger): Breaker {
  const states = new Map<string, { misses: number; openUntil: number }>();
  const isOpen = (name: string): boolean => (states.get(name)?.openUntil ?? 0) > clock.now().getTime();
  return {
    answered: (name) => {
      const state = states.get(name);
      if (state !== undefined && state.misses >= missesUntilOpen)
        log.info({ perspective: name }, 'a perspective answers again');
      states.delete(name);
    },
    missed: (name) => {
      const misses = (states.get(name)?.misses ?? 0) + 1;
      const opens = misses >= missesUntilOpen;
      // One more chance after each period: a single miss opens it again.
      states.set(name, { misses, openUntil: opens ? clock.now().getTime() + openMs : 0 });
      if (misses === missesUntilOpen) {
        log.error(
          { perspective: name, misses },
          'a perspective does not answer; it is left out where others are enough',
        );
      }
    },
    isOpen,
    open: () => [...states.keys()].filter(isOpen),
  };
}
