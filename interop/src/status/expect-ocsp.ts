// What every answer about a certificate must be, whoever asks, and the waiting until a change is seen.

import assert from 'node:assert/strict';
import { eventually } from '../patience.ts';
import type { Session } from '../session.ts';
import type { OcspStatus } from './ocsp-output.ts';
import { askByPost, type OcspQuestion } from './openssl-ocsp.ts';
import type { Subject } from './subject.ts';

/** Clocks are those of one machine; what is in seconds is cut off. */
const toleranceMs = 1500;

/** The one status there must be, at this time. @throws when there is another number of them, or it is not of now */
export function expectCurrent(statuses: readonly OcspStatus[]): OcspStatus {
  const [status, ...others] = statuses;
  assert(status !== undefined && others.length === 0, `one status must come, not ${statuses.length}`);
  expectNow(status);
  return status;
}

/** RFC 6960 §2.4: thisUpdate is over, nextUpdate is to come. */
export function expectNow({ thisUpdate, nextUpdate }: Pick<OcspStatus, 'thisUpdate' | 'nextUpdate'>): void {
  assert(thisUpdate.getTime() <= Date.now() + toleranceMs, 'thisUpdate must not be to come');
  assert(nextUpdate !== undefined, 'there must be nextUpdate');
  assert(nextUpdate.getTime() > Date.now(), 'nextUpdate must be to come');
}

/** Asks until the responder that the certificate names says `wanted`. @throws when it does not */
export async function untilStatus(
  session: Session,
  subject: Subject,
  wanted: OcspStatus['status'],
  question?: OcspQuestion,
): Promise<OcspStatus> {
  const seen = await eventually(
    () => askCurrent(session, subject, question),
    ({ status }) => status === wanted,
  );
  assert.equal(seen.status, wanted);
  return seen;
}

/** Asks until the responder gives `wanted` for the reason, in the words of openssl. @throws when it does not */
export async function untilReason(session: Session, subject: Subject, wanted: string): Promise<OcspStatus> {
  const seen = await eventually(
    () => askCurrent(session, subject),
    ({ reason }) => reason === wanted,
  );
  assert.equal(seen.reason, wanted);
  return seen;
}

async function askCurrent(
  session: Session,
  { certificateFile, ocsp }: Subject,
  question: OcspQuestion = { options: ['-no_nonce'] },
): Promise<OcspStatus> {
  const { statuses } = await askByPost(session, ocsp, { ...question, certificates: [certificateFile] });
  return expectCurrent(statuses);
}

/** RFC 5280 §5.3.1: revoked for this reason, in the words of openssl, since a moment ago. */
export function expectRevoked({ status, reason, revokedAt }: OcspStatus, wanted: string | undefined): void {
  assert.deepEqual([status, reason], ['revoked', wanted]);
  assert(revokedAt !== undefined, 'there must be a time of revocation');
  const ageMs = Date.now() - revokedAt.getTime();
  assert(
    ageMs > -toleranceMs && ageMs < 120_000,
    `it must be revoked since a moment ago, not ${revokedAt.toISOString()}`,
  );
}
