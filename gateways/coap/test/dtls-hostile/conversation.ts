// What the tests of hostile input say to an echo server, and how they wait for what comes of it.

import { setTimeout as wait } from 'node:timers/promises';
import type { DtlsClient } from '../../test-support/dtls-client.ts';

/** Sends text and waits until it comes back, whatever comes before; rejects when it does not, or the session ends. */
export async function isEchoed(client: DtlsClient, text: string, limitMs = 5000): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const limit = setTimeout(() => reject(new Error(`no echo of '${text}'`)), limitMs);
  client.onMessage = (message) => {
    if (message.toString() === text) resolve();
  };
  client.onClosed = (error) => reject(error ?? new Error('the server closed the session'));
  client.send(Buffer.from(text));
  try {
    await promise;
  } finally {
    clearTimeout(limit);
  }
}

/** Looks until it holds, for a bounded time: for states of the server of which nothing is sent. */
export async function hasComeTo(holds: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('it has not come to that');
    await wait(10);
  }
}
