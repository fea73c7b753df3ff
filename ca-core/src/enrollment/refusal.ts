/**
 * What remains of an enrollment that was refused: an audit event, a count and a log line. Nothing else changes.
 */
import type { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import { CoreError } from '@gatehouse/proto/core-error';
import type { AuditAction } from '../audit/event.ts';
import { ValidationRefusal } from '../evidence/validation-refusal.ts';
import type { Keep } from '../keep.ts';
import { actorOf } from './actor.ts';
import type { EnrollmentContext } from './pipeline.ts';
import { requesterLabel } from './requester.ts';
import { ProofOfPossessionError } from './subject-key.ts';

/** Records the refusal. A store that cannot record it is logged; the client still gets the first error. */
export async function recordRefusal(
  keep: Keep,
  context: EnrollmentContext,
  request: EnrollRequest,
  error: unknown,
): Promise<void> {
  const outcome = error instanceof CoreError ? error.code : 'internal';
  // Overload and failures of our own are not decisions about the request, and recording each would feed the overload.
  if (outcome === 'rate-limited' || outcome === 'unavailable' || outcome === 'internal') return;
  const detail = error instanceof CoreError ? error.detail : '';
  try {
    await keep.store.commit({
      operations: [],
      events: [
        {
          action: actionOf(error),
          actor: actorOf(context),
          registrationAuthority: context.caller.name,
          requester: requesterLabel(request.requester),
          profile: keep.profiles.has(request.profile) ? request.profile : undefined,
          outcome,
          body: { detail, requestId: context.requestId, evidence: linesOf(error) },
        },
      ],
    });
  } catch (cause) {
    context.log.error({ err: cause }, 'could not record a refusal');
  }
}

/** What was verified before the refusal, BR §5.4.1. */
function linesOf(error: unknown): readonly string[] | undefined {
  return error instanceof ValidationRefusal ? error.lines : undefined;
}

function actionOf(error: unknown): AuditAction {
  if (error instanceof ProofOfPossessionError) return 'possession-refused';
  const isEvidence = error instanceof CoreError && error.code.startsWith('evidence-');
  return isEvidence ? 'evidence-refused' : 'enrollment-refused';
}
