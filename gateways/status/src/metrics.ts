// What is measured: how fresh what is held is, and what became of the requests. Requests are counted, not logged: at tens of
// thousands a second a line for each would cost more than the answer.

import type { Metrics } from '@gatehouse/runtime/metrics';
import type { Follower } from './follower.ts';
import type { CrlShelf } from './state/crl-shelf.ts';
import type { ResponseDisk } from './state/response-disk.ts';
import type { ResponseMemory } from './state/response-memory.ts';
import type { RequestKind } from './status-gate.ts';

/** What is looked at when metrics are read. */
export type MetricSources = {
  readonly follower: Pick<Follower, 'isFollowing' | 'lastChangeAt'>;
  readonly memory: ResponseMemory;
  readonly disk: ResponseDisk;
  readonly crls: CrlShelf;
};

/** Counting all responses on the disk takes a moment; the number is that old at most. */
const countedEveryMs = 60_000;

/** Registers the counter of requests. @returns what counts one */
export function createRequestCounter(metrics: Metrics): (kind: RequestKind, outcome: string) => void {
  // The registry makes a key of the labels each time; here it is a number that goes up, and the registry gets the sums.
  const counted = new Map<RequestKind, Map<string, { count: number }>>();
  metrics.counter({
    name: 'status_requests_total',
    help: 'Answers by what was asked for and what became of it.',
    labels: ['kind', 'outcome'],
    collect: (counter) => {
      for (const [kind, outcomes] of counted) {
        for (const [outcome, sum] of outcomes) {
          counter.labels(kind, outcome).inc(sum.count);
          sum.count = 0;
        }
      }
    },
  });
  const register = (kind: RequestKind, outcome: string): { count: number } => {
    const sum = { count: 0 };
    const outcomes = counted.get(kind) ?? new Map<string, { count: number }>();
    counted.set(kind, outcomes.set(outcome, sum));
    return sum;
  };
  return (kind, outcome) => {
    const sum = counted.get(kind)?.get(outcome) ?? register(kind, outcome);
    sum.count++;
  };
}

/** Registers what is read from the state. */
export function registerStateMetrics(metrics: Metrics, sources: MetricSources): void {
  const { follower, memory, disk, crls } = sources;
  metrics.gauge({
    name: 'status_core_reachable',
    help: 'Whether the CA core is followed: 1, or 0.',
    collect: (gauge) => gauge.set(follower.isFollowing ? 1 : 0),
  });
  metrics.gauge({
    name: 'status_last_change_timestamp_seconds',
    help: 'When something new came from the CA core last.',
    collect: (gauge) => gauge.set((follower.lastChangeAt ?? 0) / 1000),
  });
  let counted = { at: Number.NEGATIVE_INFINITY, count: 0 };
  const countOnDisk = (): number => {
    const now = performance.now();
    if (now - counted.at > countedEveryMs) counted = { at: now, count: disk.count() };
    return counted.count;
  };
  metrics.gauge({
    name: 'status_responses',
    help: 'Pre-signed OCSP responses that are held, by where.',
    labels: ['where'],
    collect: (gauge) => {
      gauge.set({ where: 'memory' }, memory.size);
      gauge.set({ where: 'disk' }, countOnDisk());
    },
  });
  metrics.gauge({
    name: 'status_response_memory_bytes',
    help: 'What the responses in memory take.',
    collect: (gauge) => gauge.set(memory.octets),
  });
  metrics.gauge({
    name: 'status_oldest_next_update_timestamp_seconds',
    help: 'The nextUpdate that comes first, of OCSP responses and of CRLs.',
    labels: ['kind'],
    collect: (gauge) => {
      gauge.set({ kind: 'ocsp' }, (disk.firstEnd() ?? 0) / 1000);
      const ends = [...crls.all].map(({ facts }) => facts.nextUpdate.getTime());
      gauge.set({ kind: 'crl' }, ends.length === 0 ? 0 : Math.min(...ends) / 1000);
    },
  });
}
