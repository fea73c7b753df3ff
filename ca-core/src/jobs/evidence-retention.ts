/**
 * Deletes evidence whose time is over (BR §5.4.3): the end of its certificate and what the configuration adds to it. Some at a
 * time, so that no commit waits for it; each deletion is in the audit log, which keeps what was verified in words.
 */
import { setImmediate } from 'node:timers/promises';
import type { Keep } from '../keep.ts';
import { deleteEvidence, listOverdueEvidence } from '../store/certificate-evidence.ts';

/** So many are deleted in one commit. */
const certificatesAtOnce = 100;

const periodMs = 3_600_000;

/** The job, until it is closed. */
export type EvidenceRetention = { close(): Promise<void> };

/** Deletes what is over now, and looks again each hour. */
export function startEvidenceRetention(parts: Pick<Keep, 'store' | 'clock' | 'log' | 'instance'>): EvidenceRetention {
  let isClosed = false;
  let running = Promise.resolve();
  const run = (): void => {
    running = running.then(async () => {
      try {
        await forgetEvidence(parts, () => isClosed);
      } catch (error) {
        parts.log.error(
          { err: error },
          'evidence whose time is over could not be deleted; it is tried again in an hour',
        );
      }
    });
  };
  run();
  const timer = setInterval(run, periodMs);
  return {
    close: async () => {
      isClosed = true;
      clearInterval(timer);
      await running;
    },
  };
}

/** Deletes all evidence that is over. Throws CoreError `unavailable`. @param isStopped asked between commits */
export async function forgetEvidence(
  { store, clock, instance }: Pick<Keep, 'store' | 'clock' | 'instance'>,
  isStopped: () => boolean = () => false,
): Promise<void> {
  for (;;) {
    const over = listOverdueEvidence(store, clock.now(), certificatesAtOnce);
    if (over.length === 0 || isStopped()) return;
    await store.commit({
      operations: over.map(deleteEvidence),
      events: [
        {
          action: 'evidence-deleted',
          actor: instance.uri,
          outcome: 'success',
          body: { certificates: over.length, serialNumbers: over },
        },
      ],
    });
    await setImmediate();
  }
}
