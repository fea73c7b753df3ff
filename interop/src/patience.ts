// Waiting for what others do in their own time: looked at again and again until it is there, never for a fixed time.

import { setTimeout as pause } from 'node:timers/promises';

/** How often it is looked at, and for how long. */
const pollMs = 100;
const patienceMs = 30_000;

/** What is seen as soon as it is what is awaited, or what was seen last, for the caller to say what is wrong with it. */
export async function eventually<T>(look: () => Promise<T>, isThere: (seen: T) => boolean): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const seen = await look();
    if (isThere(seen) || Date.now() > deadline) return seen;
    await pause(pollMs);
  }
}
