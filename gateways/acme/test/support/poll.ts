// Waiting for something that another party does in its own time: asks again until it has happened, and fails after a while.

import { setTimeout } from 'node:timers/promises';

/** Asks until there is an answer. @throws {Error} after 20 seconds unless told */
export async function pollUntil<T>(ask: () => Promise<T | undefined>, patienceMs = 20_000): Promise<T> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`it did not happen within ${patienceMs / 1000} seconds`);
    await setTimeout(20);
  }
}
