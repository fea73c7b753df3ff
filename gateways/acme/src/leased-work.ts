// The rhythm that the workers of this gate have in common (acme.md §3, rules 3 and 7): work on what this copy has leased, in
// turns between accounts and so much at a time; prolong the leases as long as the process lives; look for what nobody works
// on any more. What the work is, and what a lease is, the worker says.

import type { Logger } from '@gatehouse/runtime/log';
import { FairQueue } from './fair-queue.ts';

/** Something to work on, and whose it is. */
export type LeasedItem = { readonly id: string; readonly accountId: string };

/** What {@link startLeasedWork} takes. */
export type LeasedWorkOptions = {
  /** For the log: 'validation', 'order'. */
  readonly what: string;
  readonly log: Logger;
  /** How much is worked on at a time. */
  readonly concurrency: number;
  readonly renewEveryMs: number;
  /** Brings one item to its end. What it throws is logged; the lease ends by itself then. */
  workOn(id: string): Promise<void>;
  /** Leases items that nobody works on, at most `room`; those that are known are under way here. */
  takeUp(room: number, isKnown: (id: string) => boolean): Promise<readonly LeasedItem[]>;
  /** Prolongs the leases of this copy. */
  renew(ids: readonly string[]): Promise<void>;
};

/** Work that goes on. */
export type LeasedWork = {
  /** Works on an item that this copy has just leased. */
  add(item: LeasedItem): void;
  /** Takes up what nobody works on any more. */
  sweep(): Promise<void>;
  /** Begins nothing new. @returns what was leased and not begun */
  stop(): readonly string[];
  /** Resolves when everything that was begun has ended. */
  idle(): Promise<void>;
};

const sweepEveryMs = 1_000;
/** Items of one sweep: what another copy left is taken up bit by bit. */
const sweepLimit = 64;

/** Starts the rhythm. */
export function startLeasedWork(options: LeasedWorkOptions): LeasedWork {
  const { what, log, concurrency, workOn, takeUp, renew } = options;
  const waiting = new FairQueue();
  const working = new Map<string, Promise<void>>();
  let isStopped = false;

  const start = (): void => {
    while (!isStopped && working.size < concurrency) {
      const id = waiting.shift();
      if (id === undefined) return;
      if (working.has(id)) continue;
      const work = workOn(id)
        .catch((error: unknown) => log.error({ err: error, what, id }, 'leased work ended unexpectedly'))
        .finally(() => {
          working.delete(id);
          start();
        });
      working.set(id, work);
    }
  };
  const add = ({ id, accountId }: LeasedItem): void => {
    waiting.push(accountId, id);
    start();
  };
  const sweep = async (): Promise<void> => {
    const room = Math.min(sweepLimit, concurrency - working.size);
    if (isStopped || room <= 0) return;
    for (const item of await takeUp(room, (id) => working.has(id))) add(item);
  };
  const timers = [
    repeat(sweepEveryMs, sweep, (error) => log.warn({ err: error, what }, 'left work could not be looked for')),
    repeat(
      options.renewEveryMs,
      () => renew([...waiting, ...working.keys()]),
      (error) => log.warn({ err: error, what }, 'leases could not be prolonged'),
    ),
  ];

  return {
    add,
    sweep,
    stop: () => {
      isStopped = true;
      for (const timer of timers) clearInterval(timer);
      return [...waiting];
    },
    idle: async () => void (await Promise.all(working.values())),
  };
}

/** Does something again and again, never twice at once; alone it holds no process. */
function repeat(everyMs: number, work: () => Promise<void>, complain: (error: unknown) => void): NodeJS.Timeout {
  let isRunning = false;
  const timer = setInterval(() => {
    if (isRunning) return;
    isRunning = true;
    work()
      .catch(complain)
      .finally(() => {
        isRunning = false;
      });
  }, everyMs);
  return timer.unref();
}
