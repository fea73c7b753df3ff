/** Revocations of many certificates at once, as operators start, watch and stop them. */
import {
  type BulkRevocation,
  BulkRevocationState,
  type StartBulkRevocationRequest,
} from '@gatehouse/proto/administration';
import { CoreError } from '@gatehouse/proto/core-error';
import { newRequestId } from '@gatehouse/runtime/identifiers';
import { revocationReason } from '../inventory/certificate-record.ts';
import type { Keep } from '../keep.ts';
import { countCertificates } from '../revocation/bulk-count.ts';
import { jobEnded } from '../revocation/bulk-page.ts';
import { bulkQueryMessage, keptQuery, readBulkQuery, readKeptQuery } from '../revocation/bulk-query.ts';
import type { BulkRevocations } from '../revocation/bulk-revocation.ts';
import { checkStatusChange } from '../revocation/status-change.ts';
import { lastCertificatePosition } from '../store/bulk-candidates.ts';
import {
  advanceBulkRevocation,
  endBulkRevocation,
  findBulkRevocation,
  findBulkRevocationByKey,
  insertBulkRevocation,
  listBulkRevocations as listJobs,
  type NewBulkRevocation,
  type StoredBulkRevocation,
} from '../store/bulk-revocations.ts';

/** What is needed of the keep. */
type BulkParts = Pick<Keep, 'store' | 'clock'>;

const keyForm = /^[\x21-\x7e]{1,128}$/;
const mostListed = 100;

const states = {
  running: BulkRevocationState.BULK_REVOCATION_STATE_RUNNING,
  done: BulkRevocationState.BULK_REVOCATION_STATE_DONE,
  stopped: BulkRevocationState.BULK_REVOCATION_STATE_STOPPED,
} as const;

/**
 * Counts what is meant and, unless it is a dry run, begins to change it. A repetition answers by the job that is there.
 * Throws CoreError `malformed`, or `conflict` when the key came with another wish before.
 */
export async function startBulkRevocation(
  keep: BulkParts,
  jobs: BulkRevocations,
  actor: string,
  request: StartBulkRevocationRequest,
): Promise<BulkRevocation> {
  const { idempotencyKey, reason, invalidityDate, isDryRun } = request;
  const startedAt = keep.clock.now();
  checkStatusChange(request, startedAt);
  const selection = readBulkQuery(request.query);
  const query = keptQuery(selection);
  const wish = { query: JSON.stringify(query), reason, invalidityDate };
  if (!isDryRun) {
    if (!keyForm.test(idempotencyKey)) {
      throw new CoreError('malformed', 'the idempotency key must be 1 to 128 visible ASCII characters');
    }
    const first = findFirst(keep, idempotencyKey, wish);
    if (first !== undefined) return bulkRevocationMessage(first);
  }

  const endPosition = lastCertificatePosition(keep.store);
  const walk = { selection, endPosition, unexpiredAt: startedAt };
  const { matching, passedOver, examples } = await countCertificates(keep.store, walk, reason);
  if (isDryRun) return { ...described({ ...wish, matching, startedAt, actor }), passedOver, examples: [...examples] };

  const job = { ...wish, id: newRequestId(), idempotencyKey, matching, endPosition, startedAt, actor };
  try {
    await keep.store.commit({
      operations: [insertBulkRevocation(job)],
      events: [
        {
          action: 'bulk-revocation-started',
          actor,
          outcome: 'success',
          body: { id: job.id, query, reason, invalidityDate: invalidityDate?.toISOString(), matching },
        },
      ],
    });
  } catch (error) {
    // The same call came twice at the same time.
    const first = findFirst(keep, idempotencyKey, wish);
    if (first === undefined) throw error;
    return bulkRevocationMessage(first);
  }
  jobs.run(job.id);
  return { ...described(job), id: job.id, state: states.running };
}

/** The newest jobs, newest first. */
export function listBulkRevocations(keep: BulkParts): BulkRevocation[] {
  return listJobs(keep.store, mostListed).map(bulkRevocationMessage);
}

/** How a job stands, each time it has got further. Throws CoreError `not-found` or `unavailable`. */
export async function* watchBulkRevocation(jobs: BulkRevocations, id: string): AsyncGenerator<BulkRevocation> {
  for await (const job of jobs.watch(id)) yield bulkRevocationMessage(job);
}

/** Stops a job; one that is over stays as it is. Throws CoreError `not-found`. */
export async function stopBulkRevocation(
  keep: BulkParts,
  jobs: BulkRevocations,
  actor: string,
  id: string,
): Promise<BulkRevocation> {
  let job = findJob(keep, id);
  while (job.state === 'running') {
    const nothing = { changed: 0, passedOver: 0, lastPosition: job.lastPosition };
    try {
      await keep.store.commit({
        // What the event says was done is what was done: a page that came first lets this fail.
        operations: [advanceBulkRevocation(job, nothing), endBulkRevocation(id, 'stopped', keep.clock.now())],
        events: [jobEnded(job, nothing, actor)],
      });
    } catch (error) {
      if (!(error instanceof CoreError && error.code === 'conflict')) throw error;
    }
    job = findJob(keep, id);
  }
  jobs.changed(id);
  return bulkRevocationMessage(job);
}

function findFirst(
  keep: BulkParts,
  idempotencyKey: string,
  wish: Pick<NewBulkRevocation, 'query' | 'reason' | 'invalidityDate'>,
): StoredBulkRevocation | undefined {
  const first = findBulkRevocationByKey(keep.store, idempotencyKey);
  if (first === undefined) return undefined;
  const isSame =
    first.query === wish.query &&
    first.reason === wish.reason &&
    first.invalidityDate?.getTime() === wish.invalidityDate?.getTime();
  if (!isSame) throw new CoreError('conflict', 'the idempotency key stands for another bulk revocation');
  return first;
}

function findJob(keep: BulkParts, id: string): StoredBulkRevocation {
  const job = findBulkRevocation(keep.store, id);
  if (job === undefined) throw new CoreError('not-found', 'there is no such bulk revocation');
  return job;
}

function bulkRevocationMessage(job: StoredBulkRevocation): BulkRevocation {
  const { id, state, changed, passedOver, endedAt } = job;
  return { ...described(job), id, state: states[state], changed, passedOver, endedAt };
}

/** What a dry run and a job have in common. */
function described(
  job: Pick<NewBulkRevocation, 'query' | 'reason' | 'invalidityDate' | 'matching' | 'startedAt' | 'actor'>,
): BulkRevocation {
  return {
    id: '',
    query: bulkQueryMessage(readKeptQuery(job.query)),
    reason: revocationReason(job.reason),
    invalidityDate: job.invalidityDate,
    state: BulkRevocationState.BULK_REVOCATION_STATE_UNSPECIFIED,
    matching: job.matching,
    changed: 0,
    passedOver: 0,
    startedAt: job.startedAt,
    endedAt: undefined,
    actor: job.actor,
    examples: [],
  };
}
