/**
 * Revocations of many certificates at once, as jobs: each goes on page by page until it is done or stopped, also after a
 * restart, and tells its watchers how far it has got. What is durable about a job is its row alone; nothing here is needed
 * to take it up again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Keep } from '../keep.ts';
import {
  findBulkRevocation,
  listRunningBulkRevocations,
  type StoredBulkRevocation,
} from '../store/bulk-revocations.ts';
import { largestPage, workOnPage } from './bulk-page.ts';

/** What jobs are worked with. */
export type BulkRevocationParts = Pick<Keep, 'store' | 'clock' | 'instance' | 'statusFeed' | 'log'>;

/** The jobs of a core. */
export type BulkRevocations = {
  /** Takes up the jobs that an earlier run of the core left. Throws CoreError `unavailable`. */
  resume(): void;
  /** Begins to work on a job that is on record. */
  run(id: string): void;
  /** To be told after a commit of somebody else that changed a job. */
  changed(id: string): void;
  /**
   * How a job stands, and each time it has got further, until it is over. A slow reader misses steps, never the end.
   * Throws CoreError `not-found`, or `unavailable` when the core stops before the job is over.
   */
  watch(id: string): AsyncGenerator<StoredBulkRevocation, void, void>;
  /** Leaves all jobs after the page under way; the next start takes them up. */
  close(): Promise<void>;
};

const firstPauseMs = 250;
const longestPauseMs = 30_000;
/** Operators start few. */
const mostRunning = 1000;

/** Creates the workshop, which has nothing to do yet. */
export function createBulkRevocations(parts: BulkRevocationParts): BulkRevocations {
  const { store, statusFeed, log } = parts;
  const running = new Map<string, Promise<void>>();
  const awaited = new Map<string, PromiseWithResolvers<void>>();
  const closing = new AbortController();

  function changed(id: string): void {
    awaited.get(id)?.resolve();
    awaited.delete(id);
  }

  function nextChange(id: string): Promise<void> {
    const next = awaited.get(id) ?? Promise.withResolvers<void>();
    awaited.set(id, next);
    return next.promise;
  }

  async function work(id: string): Promise<void> {
    let size = largestPage;
    let pauseMs = firstPauseMs;
    while (!closing.signal.aborted) {
      try {
        const job = findBulkRevocation(store, id);
        if (job?.state !== 'running') return;
        await workOnPage(parts, job, size);
        size = largestPage;
        pauseMs = firstPauseMs;
        statusFeed.wake();
      } catch (error) {
        if (isOvertaken(error)) {
          // Somebody changed one of them first: it is read again, and a smaller page is overtaken less easily.
          size = Math.ceil(size / 2);
        } else {
          log.error({ bulkRevocation: id, err: error }, 'a bulk revocation cannot go on; it tries again');
          await pause(pauseMs, undefined, { signal: closing.signal }).catch(() => undefined);
          pauseMs = Math.min(pauseMs * 2, longestPauseMs);
        }
      }
      changed(id);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  function run(id: string): void {
    if (running.has(id) || closing.signal.aborted) return;
    running.set(
      id,
      work(id).finally(() => running.delete(id)),
    );
  }

  return {
    run,
    changed,
    resume: () => {
      for (const id of listRunningBulkRevocations(store, mostRunning)) {
        log.info({ bulkRevocation: id }, 'a bulk revocation goes on');
        run(id);
      }
    },
    async *watch(id) {
      for (;;) {
        const job = findBulkRevocation(store, id);
        if (job === undefined) throw new CoreError('not-found', 'there is no such bulk revocation');
        if (job.state !== 'running') {
          yield job;
          return;
        }
        // Asked for in the same turn as the job was read: no change falls between.
        const next = nextChange(id);
        yield job;
        await next;
        if (closing.signal.aborted)
          throw new CoreError('unavailable', 'the core stops; the job goes on when it is back');
      }
    },
    close: async () => {
      closing.abort();
      await Promise.all(running.values());
      for (const id of [...awaited.keys()]) changed(id);
    },
  };
}

/** Whether somebody else changed one of the certificates, or the job, while a page was made. */
function isOvertaken(error: unknown): boolean {
  return error instanceof CoreError && (error.code === 'already-revoked' || error.code === 'conflict');
}
