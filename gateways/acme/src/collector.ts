// Removes what is over, so that the state follows live orders and not history. It goes in small batches between which
// requests come first; every copy of the gate does it, and two at once do no harm. Nothing goes that a client may still ask
// for: the keep has all certificates and all evidence.

import { setImmediate as yieldToRequests } from 'node:timers/promises';
import type { Clock } from '@gatehouse/runtime/clock';
import { type StateStore, StateUnavailableError } from '@gatehouse/runtime/database/state-store';
import type { Logger } from '@gatehouse/runtime/log';
import {
  batchSize,
  type ExpiredKind,
  expiredAuthorizations,
  expiredCertificates,
  expiredNonces,
  expiredOrders,
  forgetFailuresBefore,
  settledLimits,
} from './state/expired.ts';

const dayMs = 86_400_000;

/** For how long each kind of row stays after it is over. */
const retention: readonly { readonly kind: ExpiredKind; readonly keptMs: number }[] = [
  { kind: expiredNonces, keptMs: 0 },
  { kind: settledLimits, keptMs: 0 },
  // Clients poll orders and download certificates after the order would have expired.
  { kind: expiredOrders, keptMs: 7 * dayMs },
  // Not before the orders that stand on them.
  { kind: expiredAuthorizations, keptMs: 8 * dayMs },
  // RFC 9773: whoever renews late still names the certificate that is replaced.
  { kind: expiredCertificates, keptMs: 90 * dayMs },
];

const failuresKeptMs = 30 * dayMs;

const intervalMs = 600_000;

/** What {@link startCollector} takes. */
export type CollectorOptions = { readonly store: StateStore; readonly clock: Clock; readonly log: Logger };

/** Removes what is over, again and again. */
export type Collector = {
  /** Removes everything that is over now; resolves to the number of rows found by table. */
  collect(): Promise<Readonly<Record<string, number>>>;
  /** Stops after the batch that is under way. */
  close(): Promise<void>;
};

/** Starts it; the first time is an interval from now. */
export function startCollector({ store, clock, log }: CollectorOptions): Collector {
  let isClosed = false;
  let running: Promise<unknown> = Promise.resolve();

  async function collectKind(kind: ExpiredKind, before: Date): Promise<number> {
    for (let count = 0; ; ) {
      const keys = await kind.find(store, before);
      if (keys.length > 0) await store.commit(kind.remove(keys, before));
      count += keys.length;
      if (keys.length < batchSize || isClosed) return count;
      await yieldToRequests();
    }
  }

  async function collect(): Promise<Readonly<Record<string, number>>> {
    const now = clock.now().getTime();
    const counts: Record<string, number> = {};
    for (const { kind, keptMs } of retention) {
      if (isClosed) break;
      counts[kind.table] = await collectKind(kind, new Date(now - keptMs));
    }
    if (!isClosed) await store.commit([forgetFailuresBefore(new Date(now - failuresKeptMs))]);
    return counts;
  }

  async function collectAndTell(): Promise<void> {
    try {
      const counts = await collect();
      if (Object.values(counts).some((count) => count > 0)) log.info(counts, 'what is over was removed');
    } catch (error) {
      // The store has told of an outage already; the next time comes.
      if (!(error instanceof StateUnavailableError)) log.error({ err: error }, 'what is over could not be removed');
    }
  }

  const timer = setInterval(() => {
    running = running.then(collectAndTell);
  }, intervalMs).unref();

  return {
    collect,
    close: async () => {
      isClosed = true;
      clearInterval(timer);
      await running;
    },
  };
}
