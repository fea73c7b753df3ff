/**
 * Enrollments that wait for a person. Approving is not signing: the core judges the request again in full, with the
 * rules and the standing of that moment. An RA can neither approve nor reject.
 */

import { formatGeneralName } from '@gatehouse/pkix/general-names';
import { formatName } from '@gatehouse/pkix/names';
import { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Keep } from '../keep.ts';
import { type Caller, callerUri } from '../registry/caller.ts';
import { findRequest, insertPendingRequest, rejectRequest } from '../store/requests.ts';
import { type EnrollmentAnswer, type PendingAnswer, pendingRetryAfterSeconds } from './answer.ts';
import type { DecidedEnrollment } from './issue.ts';
import { pendingPayload } from './pending-payload.ts';
import { decide, type EnrollmentContext } from './pipeline.ts';
import { recordRefusal } from './refusal.ts';
import { readRequester, requesterLabel } from './requester.ts';

/** What an operator decided. */
export type Decision = { readonly requestId: string; readonly reason: string };

/** Who decides, and what joins the log lines. */
export type DecisionContext = Omit<EnrollmentContext, 'approval'>;

const longestReason = 256;

/** Records an enrollment that waits. */
export async function recordPending(
  keep: Keep,
  context: EnrollmentContext,
  enrollment: DecidedEnrollment,
): Promise<PendingAnswer> {
  const { request, names, registrationAuthority, issuingProfile } = enrollment;
  await keep.store.commit({
    operations: [
      insertPendingRequest({
        id: enrollment.enrollmentId,
        registrationAuthority: registrationAuthority.name,
        idempotencyKey: request.idempotencyKey,
        contentSha256: enrollment.content,
        profile: issuingProfile.profile.name,
        requester: readRequester(request.requester),
        requestedAt: enrollment.now,
        payload: pendingPayload(request, enrollment.validated),
        subject: formatName(names.subject),
        names: names.names.map(formatGeneralName),
      }),
    ],
    events: [
      {
        action: 'enrollment-pending',
        actor: context.caller.uri,
        registrationAuthority: registrationAuthority.name,
        requester: requesterLabel(request.requester),
        profile: issuingProfile.profile.name,
        outcome: 'success',
        body: { enrollmentId: enrollment.enrollmentId, requestId: context.requestId },
      },
    ],
  });
  return {
    kind: 'pending',
    requestId: enrollment.enrollmentId,
    retryAfterSeconds: pendingRetryAfterSeconds,
    isRepeated: false,
  };
}

/** Approves: judges again and issues. Throws CoreError `not-found`, `conflict`, or whatever the pipeline objects. */
export async function approveEnrollment(
  keep: Keep,
  context: DecisionContext,
  decision: Decision,
): Promise<EnrollmentAnswer> {
  const record = pendingRecord(keep, decision);
  // The request is judged as its RA's, not as the operator's: approving widens no scope.
  const registrationAuthority: Caller = {
    kind: 'gate',
    name: record.registrationAuthority,
    uri: callerUri('gate', record.registrationAuthority),
    serialNumber: '',
  };
  const approval = { enrollmentId: record.id, operator: context.caller.uri, reason: decision.reason };
  const judged = { ...context, caller: registrationAuthority, approval };
  const request = EnrollRequest.decode(record.payload);
  try {
    return await decide(keep, judged, request, record.contentSha256);
  } catch (error) {
    await recordRefusal(keep, judged, request, error);
    throw error;
  }
}

/** Rejects. Throws CoreError `not-found` or `conflict`. */
export async function rejectEnrollment(keep: Keep, context: DecisionContext, decision: Decision): Promise<void> {
  const record = pendingRecord(keep, decision);
  await keep.store.commit({
    operations: [
      rejectRequest({
        id: record.id,
        decidedAt: keep.clock.now(),
        decidedBy: context.caller.uri,
        reason: decision.reason,
      }),
    ],
    events: [
      {
        action: 'enrollment-rejected',
        actor: context.caller.uri,
        registrationAuthority: record.registrationAuthority,
        requester: requesterLabel(record.requester),
        profile: record.profile,
        outcome: 'success',
        body: { enrollmentId: record.id, reason: decision.reason },
      },
    ],
  });
}

function pendingRecord(keep: Keep, { requestId, reason }: Decision) {
  if (Buffer.byteLength(reason) > longestReason) {
    throw new CoreError('malformed', `the reason is longer than ${longestReason} octets`);
  }
  const record = findRequest(keep.store, requestId);
  if (record === undefined) throw new CoreError('not-found', 'there is no such enrollment');
  const { payload } = record;
  if (record.state !== 'pending' || payload === undefined) {
    throw new CoreError('conflict', `the enrollment is ${record.state} already`);
  }
  return { ...record, payload };
}
