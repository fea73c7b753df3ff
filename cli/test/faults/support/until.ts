// Waiting for what no process tells: what a gate serves is seen by whoever asks, again and again.

import { setTimeout as pause } from 'node:timers/promises';

const askAgainAfterMs = 5;

/**
 * Asks until there is an answer; what is thrown while asking counts as none. Fails after `patienceMs` with the last reason.
 *
 * @param what is waited for, in words
 */
export async function until<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined | false>,
  patienceMs = 30_000,
): Promise<Answer> {
  const deadline = performance.now() + patienceMs;
  let reason: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      reason = undefined;
    } catch (error) {
      reason = error;
    }
    await pause(askAgainAfterMs);
  }
  throw new Error(`not within ${patienceMs} ms: ${what}`, { cause: reason });
}
