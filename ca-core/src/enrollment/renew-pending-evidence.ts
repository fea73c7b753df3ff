/**
 * Fresher evidence for an enrollment that waits for a person. CAA is good for eight hours (RFC 8659 §2.2) and people take
 * longer: an RA that asks again brings what perspectives said meanwhile, and that is what the approval is judged by.
 */
import { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Keep } from '../keep.ts';
import { findRequest, renewPendingRequest } from '../store/requests.ts';
import type { PendingAnswer } from './answer.ts';
import { pendingPayload, statementTexts } from './pending-payload.ts';
import { type EnrollmentContext, judge } from './pipeline.ts';
import { requesterLabel } from './requester.ts';

/**
 * Keeps the evidence of a repeated request instead of the former one, if it is other evidence and holds. What does not hold
 * changes nothing: the answer is the first one all the same. Throws CoreError `unavailable`.
 */
export async function renewPendingEvidence(
  keep: Keep,
  context: EnrollmentContext,
  request: EnrollRequest,
  { requestId }: PendingAnswer,
): Promise<void> {
  const sent = statementTexts(request.evidence);
  const record = sent.size === 0 ? undefined : findRequest(keep.store, requestId);
  if (record?.payload === undefined) return;
  const kept = statementTexts(EnrollRequest.decode(record.payload).evidence);
  if (sent.isSubsetOf(kept)) return;
  const judged = await judgeQuietly(keep, context, request);
  if (judged === undefined || judged.validated.verdict !== 'pass') return;
  if (statementTexts(judged.validated.evidence).isSubsetOf(kept)) return;
  await keep.store.commit({
    operations: [renewPendingRequest(requestId, pendingPayload(request, judged.validated))],
    events: [
      {
        action: 'enrollment-pending',
        actor: context.caller.uri,
        registrationAuthority: context.caller.name,
        requester: requesterLabel(request.requester),
        profile: record.profile,
        outcome: 'success',
        body: { enrollmentId: requestId, requestId: context.requestId, evidence: judged.evidence },
      },
    ],
  });
}

async function judgeQuietly(keep: Keep, context: EnrollmentContext, request: EnrollRequest) {
  try {
    return await judge(keep, context, request, keep.inFlight.size > 1);
  } catch (error) {
    if (!(error instanceof CoreError) || error.code === 'unavailable') throw error;
    const { requestId, caller } = context;
    context.log.info(
      { requestId, caller: caller.uri, code: error.code, reason: error.detail },
      'later evidence of a pending enrollment does not hold',
    );
    return undefined;
  }
}
