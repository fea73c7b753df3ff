/**
 * One page of a bulk revocation: the next certificates that are meant, changed in one commit with their audit events and
 * with the row that says how far the job has got. So a job that dies at any moment goes on where it stood.
 */
import { RevocationReason } from '@gatehouse/proto/types';
import type { AuditEventDraft } from '../audit/event.ts';
import { revocationReason } from '../inventory/certificate-record.ts';
import type { Keep } from '../keep.ts';
import { type Candidate, readSlice, type Walk } from '../store/bulk-candidates.ts';
import {
  advanceBulkRevocation,
  type BulkRevocationProgress,
  endBulkRevocation,
  type StoredBulkRevocation,
} from '../store/bulk-revocations.ts';
import type { RevocationState } from '../store/database.ts';
import { readKeptQuery } from './bulk-query.ts';
import { statusChangeOperations } from './status-change.ts';

/** What pages are worked with. */
export type PageParts = Pick<Keep, 'store' | 'clock' | 'instance'>;

/** Certificates that one commit changes at most: more, and an enrollment would wait for it. */
export const largestPage = 100;
/** Rows that are examined in one turn of the event loop at most. */
const largestSlice = 1000;
/** After so many slices in which little is meant, the progress is written down all the same. */
const slicesOfPage = 20;

type Page = BulkRevocationProgress & { readonly changes: readonly Candidate[]; readonly isLast: boolean };

/** Whether a certificate that stands so is changed: neither is it as wanted already, nor is it revoked for good. */
export function isToChange(reason: RevocationReason, standing: RevocationState | undefined): boolean {
  switch (reason) {
    case RevocationReason.REVOCATION_REASON_REMOVE_FROM_CRL:
      return standing === 'held';
    case RevocationReason.REVOCATION_REASON_CERTIFICATE_HOLD:
      return standing === undefined;
    default:
      return standing !== 'revoked';
  }
}

function walkOf({ query, endPosition, startedAt }: StoredBulkRevocation): Walk {
  return { selection: readKeptQuery(query), endPosition, unexpiredAt: startedAt };
}

/**
 * Works on the next page of a job that runs.
 *
 * @param size how many certificates it may change
 * @throws {CoreError} `already-revoked` or `conflict` when somebody else changed one of them or the job meanwhile,
 * `unavailable` when the store cannot be used; then nothing has changed
 */
export async function workOnPage(parts: PageParts, job: StoredBulkRevocation, size: number): Promise<void> {
  const now = parts.clock.now();
  const { changes, isLast, ...progress } = await readPage(parts, job, size, now);
  const { invalidityDate, actor } = job;
  const reason = revocationReason(job.reason);
  await parts.store.commit({
    operations: [
      ...changes.flatMap((certificate) => statusChangeOperations(certificate, { reason, invalidityDate, actor }, now)),
      advanceBulkRevocation(job, progress),
      ...(isLast ? [endBulkRevocation(job.id, 'done', now)] : []),
    ],
    events: [
      ...changes.map((certificate) => statusChanged(job, certificate)),
      ...(isLast ? [jobEnded(job, progress, parts.instance.uri)] : []),
    ],
  });
}

/** The event of a job that is over. @param actor who ended it: an operator, or the core when all was done */
export function jobEnded(
  job: StoredBulkRevocation,
  { changed, passedOver }: Pick<BulkRevocationProgress, 'changed' | 'passedOver'>,
  actor: string,
): AuditEventDraft {
  const { id, matching } = job;
  const body = { id, matching, changed: job.changed + changed, passedOver: job.passedOver + passedOver };
  return { action: 'bulk-revocation-ended', actor, outcome: 'success', body };
}

function statusChanged(job: StoredBulkRevocation, certificate: Candidate): AuditEventDraft {
  return {
    action: 'status-changed',
    actor: job.actor,
    registrationAuthority: certificate.registrationAuthority,
    profile: certificate.profile,
    serialNumber: certificate.serialNumber,
    outcome: 'success',
    body: { reason: job.reason, invalidityDate: job.invalidityDate?.toISOString(), bulkRevocation: job.id },
  };
}

async function readPage({ store }: PageParts, job: StoredBulkRevocation, size: number, now: Date): Promise<Page> {
  const walk = walkOf(job);
  const reason = revocationReason(job.reason);
  const changes: Candidate[] = [];
  let passedOver = 0;
  let { lastPosition } = job;
  const page = (isLast: boolean): Page => ({
    changes,
    changed: changes.length,
    passedOver,
    lastPosition,
    isLast,
  });

  let limit = Math.min(size, largestSlice);
  for (let slices = 0; slices < slicesOfPage; slices++) {
    const slice = await readSlice(store, walk, lastPosition, limit);
    for (const candidate of slice.candidates) {
      if (!isToChange(reason, candidate.standing) || candidate.notAfter < now) passedOver += 1;
      else if (changes.length < size) changes.push(candidate);
      else return page(false);
      lastPosition = candidate.position;
    }
    lastPosition = slice.lastPosition;
    if (slice.isLast || changes.length === size) return page(slice.isLast);
    limit = Math.min(limit * 2, largestSlice);
    // node:sqlite answers synchronously: an enrollment gets its turn between two slices.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return page(false);
}
