// Waiting for a moment that a certificate names: nothing tells of it but the clock.

import { setTimeout as pause } from 'node:timers/promises';

const margin = 1_100;

/** Resolves when the second of this moment is over. */
export async function until(moment: Date): Promise<void> {
  await pause(Math.max(0, moment.getTime() - Date.now() + margin));
}
