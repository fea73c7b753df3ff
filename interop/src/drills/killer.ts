// Kills processes at random moments, and starts each again at once, whatever state the others are in: what comes back may
// find nobody there, and may be killed before it listens, though not so often that a busy machine never sees it listen.

import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from './random.ts';
import type { Resident } from './resident.ts';

/** A killer at work. */
export type Killer = {
  /** How often each was killed so far. */
  readonly kills: ReadonlyMap<Resident, number>;
  /** Ends the killing, and waits until all are ready again. @returns how often each was killed */
  stop(): Promise<ReadonlyMap<Resident, number>>;
};

/** What {@link startKiller} takes. */
export type KillerOptions = {
  readonly victims: readonly Resident[];
  readonly random: Random;
  /** Shortest and longest time between two kills. */
  readonly pauseMs: readonly [shortest: number, longest: number];
};

/** How often one that does not listen yet is killed all the same, when it is its turn. */
const mercilessness = 0.125;

/** Starts it. */
export function startKiller({ victims, random, pauseMs: [shortest, longest] }: KillerOptions): Killer {
  const kills = new Map(victims.map((victim) => [victim, 0]));
  const stopping = new AbortController();
  const { signal } = stopping;

  const work = async (): Promise<void> => {
    while (!signal.aborted) {
      await pause(shortest + random() * (longest - shortest), undefined, { signal }).catch(() => undefined);
      const victim = victims[Math.floor(random() * victims.length)];
      if (signal.aborted || victim === undefined) return;
      const isMerciless = random() < mercilessness;
      if (!isMerciless && !(await listens(victim))) continue;
      await victim.kill();
      kills.set(victim, (kills.get(victim) ?? 0) + 1);
      victim.launch();
    }
  };
  const working = work();
  return {
    kills,
    stop: async () => {
      stopping.abort();
      await working;
      await Promise.all(victims.map((victim) => victim.ready()));
      return kills;
    },
  };
}

async function listens(resident: Resident): Promise<boolean> {
  return await resident.readiness().then(
    () => true,
    () => false,
  );
}
