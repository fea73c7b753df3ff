// Takes perspectives that do not answer out of the next selection (mpic.md §4), for a while, with an alarm. It never acts
// within an attempt, where every perspective that was chosen counts; and the selection never goes below its minimum for it.

import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import type { CheckKind } from './check.ts';

/** What is known about who answers. */
export type Breaker = {
  /** A statement came that is believed, whatever it says. */
  answered(name: string, check: CheckKind): void;
  /** No statement came, or one that is not believed. */
  missed(name: string, check: CheckKind): void;
  /** Whether a perspective should be left out where others are enough. */
  isOpen(name: string): boolean;
  /** Names that are left out now. */
  open(): readonly string[];
};

type State = { readonly misses: number; readonly openUntil: number };

const missesUntilOpen = 3;
const openMs = 30_000;

/** Makes a breaker. */
export function createBreaker(clock: Clock, log: Logger): Breaker {
  // One that sees the DNS and not the web fails at one check alone.
  const states: Readonly<Record<CheckKind, Map<string, State>>> = { dcv: new Map(), caa: new Map() };
  const isOpen = (name: string): boolean =>
    Object.values(states).some((of) => (of.get(name)?.openUntil ?? 0) > clock.now().getTime());
  return {
    answered: (name, check) => {
      const state = states[check].get(name);
      if (state === undefined) return;
      states[check].delete(name);
      if (state.misses >= missesUntilOpen) log.info({ perspective: name, check }, 'a perspective answers again');
    },
    missed: (name, check) => {
      const misses = (states[check].get(name)?.misses ?? 0) + 1;
      // One more chance after each period: a single miss opens it again.
      const openUntil = misses >= missesUntilOpen ? clock.now().getTime() + openMs : 0;
      states[check].set(name, { misses, openUntil });
      if (misses !== missesUntilOpen) return;
      const text = 'a perspective gives no usable answers; it is left out where others are enough';
      log.error({ perspective: name, check, misses }, text);
    },
    isOpen,
    open: () => [...new Set(Object.values(states).flatMap((of) => [...of.keys()]))].filter(isOpen),
  };
}
