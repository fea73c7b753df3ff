/** Has the control of a certificate's names verified, and counts what came of it. */
import type { GeneralName } from '@gatehouse/pkix/general-names';
import { attributeValues } from '@gatehouse/pkix/names';
import { attributeTypes } from '@gatehouse/pkix/object-identifiers';
import type { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import { ValidationRefusal } from '../evidence/validation-refusal.ts';
import { type ValidationOutcome, verifyValidation } from '../evidence/verify-validation.ts';
import type { Keep } from '../keep.ts';
import { readHost } from './common-name.ts';
import type { IssuingProfile } from './issuing-profile.ts';
import type { EnrollmentContext } from './pipeline.ts';
import type { SubjectKey } from './subject-key.ts';

/** What is known of the certificate before its names are validated. */
export type NamesToValidate = {
  readonly issuingProfile: IssuingProfile;
  readonly subjectKey: SubjectKey;
  readonly names: { readonly names: readonly GeneralName[] };
  readonly now: Date;
};

/** Verifies the evidence. Throws CoreError `evidence-missing` or `evidence-invalid` where the profile enforces it. */
export async function validateNames(
  keep: Keep,
  context: EnrollmentContext,
  request: EnrollRequest,
  { issuingProfile, subjectKey, names, now }: NamesToValidate,
): Promise<ValidationOutcome> {
  const profile = issuingProfile.profile.name;
  try {
    const outcome = await verifyValidation(keep, {
      profile,
      validation: issuingProfile.validation,
      registrationAuthority: context.caller.name,
      request,
      names: names.names,
      requestedNames: requestedNames(subjectKey),
      now,
    });
    if (outcome.verdict !== undefined) keep.metrics.validations.inc({ profile, verdict: outcome.verdict });
    const { requestId, caller } = context;
    if (outcome.alarms.length > 0) {
      const { alarms } = outcome;
      context.log.warn(
        { requestId, caller: caller.uri, alarms },
        'statements of perspectives are not what they claim to be',
      );
    }
    if (outcome.verdict === 'fail') {
      context.log.warn(
        { requestId, caller: caller.uri, profile, evidence: outcome.lines },
        'names that are not validated are certified: the policy is only monitored',
      );
    }
    return outcome;
  } catch (error) {
    if (error instanceof ValidationRefusal) keep.metrics.validations.inc({ profile, verdict: 'refused' });
    throw error;
  }
}

/** What the account holder signed for: alternative names, and a common name that is a host. */
function requestedNames({ names, subject }: SubjectKey): readonly GeneralName[] {
  return [...names, ...attributeValues(subject, attributeTypes.CN).flatMap((value) => readHost(value) ?? [])];
}
