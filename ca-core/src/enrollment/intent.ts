/**
 * Word of what is about to be signed, durable before the signature exists. Only for signers outside of this process:
 * with a software key the certificate's own transaction is the intent (CORE.md, step 7).
 */
import type { Keep } from '../keep.ts';
import { insertIntent } from '../store/intents.ts';
import { actorOf } from './actor.ts';
import type { DecidedEnrollment } from './issue.ts';
import type { EnrollmentContext } from './pipeline.ts';
import { requesterLabel } from './requester.ts';

/** Commits the intent. Throws CoreError `unavailable` when the store cannot write; then nothing may be signed. */
export async function recordIntent(
  keep: Keep,
  context: EnrollmentContext,
  enrollment: DecidedEnrollment,
  intended: { readonly serialNumber: string; readonly tbsSha256: Uint8Array },
): Promise<void> {
  await keep.store.commit({
    operations: [insertIntent({ ...intended, requestId: enrollment.enrollmentId, createdAt: enrollment.now })],
    events: [
      {
        action: 'signing-intended',
        actor: actorOf(context),
        registrationAuthority: enrollment.registrationAuthority.name,
        requester: requesterLabel(enrollment.request.requester),
        profile: enrollment.issuingProfile.profile.name,
        serialNumber: intended.serialNumber,
        outcome: 'success',
        body: { enrollmentId: enrollment.enrollmentId },
      },
    ],
  });
}
