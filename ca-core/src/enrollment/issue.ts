/**
 * From a decided enrollment to a durable certificate: validity, signature, record (CORE.md, steps 6 to 9).
 * A certificate never leaves this file before the transaction that records it, its request and its audit event.
 */
import type { Extension } from '@gatehouse/pkix/extensions';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import type { Name } from '@gatehouse/pkix/names';
import type { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import { durationToMs } from '@gatehouse/proto/duration';
import type { ValidationOutcome } from '../evidence/verify-validation.ts';
import type { Keep } from '../keep.ts';
import type { RegistrationAuthority } from '../registry/registry.ts';
import type { IssuedAnswer } from './answer.ts';
import { recordIntent } from './intent.ts';
import { issuedWriteSet } from './issued-write-set.ts';
import type { IssuingProfile } from './issuing-profile.ts';
import type { EnrollmentContext } from './pipeline.ts';
import type { RenewedCertificate } from './renewed-certificate.ts';
import { signCertificate } from './sign-certificate.ts';
import type { SubjectKey } from './subject-key.ts';
import { decideValidity } from './validity.ts';

/** An enrollment on which every step before 'shape' has agreed. */
export type JudgedEnrollment = {
  readonly registrationAuthority: RegistrationAuthority;
  readonly issuingProfile: IssuingProfile;
  readonly subjectKey: SubjectKey;
  readonly names: { readonly subject: Name; readonly names: readonly GeneralName[] };
  readonly extensions: readonly Extension[];
  readonly renewed: RenewedCertificate | undefined;
  /** What the evidence said, for the audit log. */
  readonly evidence: readonly string[];
  /** What proved the control of names; kept with the certificate. */
  readonly validated: ValidationOutcome;
  readonly now: Date;
};

/** A judged enrollment that is to be recorded. */
export type DecidedEnrollment = JudgedEnrollment & {
  readonly request: EnrollRequest;
  /** SHA-256 of the request's content, by which a retry is known. */
  readonly content: Uint8Array;
  readonly enrollmentId: string;
};

/** Issues. Throws CoreError `profile-refuses` when a lint objects, `unavailable` when the signer or the store cannot. */
export async function issueCertificate(
  keep: Keep,
  context: EnrollmentContext,
  enrollment: DecidedEnrollment,
  isBusy: boolean,
): Promise<IssuedAnswer> {
  const { issuingProfile, registrationAuthority, request, subjectKey, now } = enrollment;
  const { profile, authority } = issuingProfile;

  const validity = decideValidity(
    {
      profile,
      wantedMs: request.validity === undefined ? undefined : durationToMs(request.validity),
      exact: { notBefore: request.notBefore, notAfter: request.notAfter },
      registrationAuthorityMaximumMs: registrationAuthority.maximumValidityMs,
      issuer: authority.certificate,
    },
    now,
  );
  const signed = await signCertificate(keep, {
    issuingProfile,
    contents: {
      ...validity,
      subject: enrollment.names.subject,
      names: enrollment.names.names,
      subjectPublicKeyInfo: subjectKey.subjectPublicKeyInfo,
      extensions: enrollment.extensions,
    },
    now,
    isBusy,
    recordIntent: (intended) => recordIntent(keep, context, enrollment, intended),
  });

  await keep.store.commit(issuedWriteSet(keep, context, enrollment, signed));
  keep.statusFeed.wake();
  keep.metrics.certificatesIssued.inc({ profile: profile.name });
  const { certificate, serialNumber } = signed;
  context.log.info(
    { requestId: context.requestId, caller: context.caller.uri, profile: profile.name, serialNumber },
    'certificate issued',
  );
  return {
    kind: 'issued',
    requestId: enrollment.enrollmentId,
    certificate,
    chain: authority.chain,
    serialNumber,
    ...validity,
    isRepeated: false,
  };
}
