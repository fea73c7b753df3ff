/** Everything that becomes durable together with a certificate: itself, its enrollment, its audit event. */
import { formatName } from '@gatehouse/pkix/names';
import type { AuditEventDraft } from '../audit/event.ts';
import { recordEvidence } from '../evidence/recorded-evidence.ts';
import type { Keep } from '../keep.ts';
import { insertCertificate } from '../store/certificates.ts';
import { fulfilIntent } from '../store/intents.ts';
import { approveRequest, insertIssuedRequest } from '../store/requests.ts';
import type { WriteOperation, WriteSet } from '../store/write-set.ts';
import { actorOf } from './actor.ts';
import type { DecidedEnrollment } from './issue.ts';
import type { EnrollmentContext } from './pipeline.ts';
import { readRequester, requesterLabel } from './requester.ts';
import { searchNamesOf } from './search-names.ts';
import type { SignedCertificate } from './sign-certificate.ts';

/** The write set of one issuance. */
export function issuedWriteSet(
  keep: Keep,
  context: EnrollmentContext,
  enrollment: DecidedEnrollment,
  issued: SignedCertificate,
): WriteSet {
  const { profile, authority } = enrollment.issuingProfile;
  const { subject, names } = enrollment.names;
  const requester = readRequester(enrollment.request.requester);
  const subjectText = formatName(subject);
  const registrationAuthority = enrollment.registrationAuthority.name;
  const facts = {
    actor: actorOf(context),
    registrationAuthority,
    requester: requesterLabel(requester),
    profile: profile.name,
    serialNumber: issued.serialNumber,
    outcome: 'success',
  } as const;
  const { enrollmentId } = enrollment;
  const approved: readonly AuditEventDraft[] =
    context.approval === undefined
      ? []
      : [{ action: 'enrollment-approved', ...facts, body: { enrollmentId, reason: context.approval.reason } }];
  return {
    operations: [
      ...insertCertificate({
        serialNumber: issued.serialNumber,
        authority: authority.name,
        profile: profile.name,
        registrationAuthority,
        requester,
        requestId: enrollment.enrollmentId,
        subject: subjectText,
        searchNames: searchNamesOf(subject, names),
        keyFingerprint: enrollment.subjectKey.fingerprint,
        certificate: issued.certificate,
        tbsSha256: issued.tbsSha256,
        notBefore: issued.notBefore,
        notAfter: issued.notAfter,
        issuedAt: enrollment.now,
        renews: enrollment.renewed?.serialNumber,
        crlScope: issued.crlScope,
      }),
      requestOperation(context, enrollment, issued),
      ...recordEvidence(
        {
          serialNumber: issued.serialNumber,
          notAfter: issued.notAfter,
          issuedAt: enrollment.now,
          keepAfterExpiryMs: keep.validation.keepAfterExpiryMs,
        },
        enrollment.validated,
      ),
      ...(authority.signer.isSynchronous ? [] : [fulfilIntent(issued.serialNumber)]),
    ],
    events: [
      ...approved,
      {
        action: 'certificate-issued',
        ...facts,
        body: {
          enrollmentId,
          requestId: context.requestId,
          subject: subjectText,
          tbsSha256: Buffer.from(issued.tbsSha256).toString('hex'),
          proofOfPossession: enrollment.subjectKey.proofOfPossession,
          renews: enrollment.renewed?.serialNumber,
          evidence: enrollment.evidence.length > 0 ? enrollment.evidence : undefined,
          instance: keep.instance.id,
        },
      },
    ],
  };
}

function requestOperation(
  context: EnrollmentContext,
  enrollment: DecidedEnrollment,
  issued: SignedCertificate,
): WriteOperation {
  const { approval } = context;
  if (approval !== undefined) {
    return approveRequest({
      id: approval.enrollmentId,
      serialNumber: issued.serialNumber,
      decidedAt: enrollment.now,
      decidedBy: approval.operator,
      reason: approval.reason,
    });
  }
  return insertIssuedRequest({
    id: enrollment.enrollmentId,
    registrationAuthority: enrollment.registrationAuthority.name,
    idempotencyKey: enrollment.request.idempotencyKey,
    contentSha256: enrollment.content,
    profile: enrollment.issuingProfile.profile.name,
    requester: readRequester(enrollment.request.requester),
    requestedAt: enrollment.now,
    serialNumber: issued.serialNumber,
  });
}
