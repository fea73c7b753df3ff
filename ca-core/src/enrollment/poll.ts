/** Asking what became of an enrollment. An RA sees only its own. */
import { CoreError } from '@gatehouse/proto/core-error';
import type { Keep } from '../keep.ts';
import type { Caller } from '../registry/caller.ts';
import { findRequest } from '../store/requests.ts';
import type { EnrollmentAnswer } from './answer.ts';
import { answerOfRecord } from './recorded-answer.ts';

/** The answer as it stands. Throws CoreError `not-found`, or `profile-refuses` when a person rejected it. */
export function pollEnrollment(keep: Keep, caller: Caller, requestId: string): EnrollmentAnswer {
  const record = findRequest(keep.store, requestId);
  // Another RA's enrollment is told apart from none at all only in the audit log.
  if (record === undefined || (caller.kind !== 'operator' && record.registrationAuthority !== caller.name)) {
    throw new CoreError('not-found', 'there is no such enrollment');
  }
  return answerOfRecord(keep, record);
}
