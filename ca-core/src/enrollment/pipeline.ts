/**
 * How the keep decides on an enrollment, from top to bottom like the policy document (ARCHITECTURE §2, CORE.md
 * 'Issuance, step by step'). Every check is made here, whatever a gate has checked before; a refusal is audited and
 * changes nothing else; an answer is given only after the commit.
 */
import type { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import { newRequestId } from '@gatehouse/runtime/identifiers';
import type { Logger } from '@gatehouse/runtime/log';
import { verifyEvidence } from '../evidence/verify-evidence.ts';
import type { Keep } from '../keep.ts';
import type { Caller } from '../registry/caller.ts';
import type { EnrollmentAnswer } from './answer.ts';
import { recordPending } from './approval.ts';
import { refuseForbiddenKey } from './forbidden-keys.ts';
import { answerOnce } from './idempotency.ts';
import { type DecidedEnrollment, issueCertificate, type JudgedEnrollment } from './issue.ts';
import { checkKeyQuality } from './key-quality.ts';
import { checkScope } from './name-scope.ts';
import { pickProfile } from './pick-profile.ts';
import { recordRefusal } from './refusal.ts';
import { renewPendingEvidence } from './renew-pending-evidence.ts';
import { checkRenewal } from './renewal.ts';
import { readRenewedCertificate } from './renewed-certificate.ts';
import { refuseOversized } from './request-size.ts';
import { decideExtensions } from './requested-extensions.ts';
import { shapeNames } from './shape-names.ts';
import { readSubjectKey } from './subject-key.ts';
import { validateNames } from './validate-names.ts';

/** How an enrollment came to the pipeline. */
export type EnrollmentContext = {
  /** The RA's credential, or the RA on whose pending request an operator decides. */
  readonly caller: Caller;
  /** For log lines; the same from gate to core. */
  readonly requestId: string;
  readonly log: Logger;
  /** Set when a person approved this request: it is judged again in full, but not made pending again. */
  readonly approval?: { readonly enrollmentId: string; readonly operator: string; readonly reason: string };
};

/**
 * Decides on one enrollment, exactly once per idempotency key.
 * Throws CoreError with any type of ARCHITECTURE §3 that fits; the refusal is in the audit log by then.
 */
export async function enroll(
  keep: Keep,
  context: EnrollmentContext,
  request: EnrollRequest,
): Promise<EnrollmentAnswer> {
  try {
    // First, because every other refusal is recorded: the audit log must not grow faster than the RA may ask.
    keep.registry.admitEnrollment(keep.registry.registrationAuthority(context.caller.name));
    refuseOversized(request);
    const answer = await answerOnce(keep, context.caller.name, request, (content) =>
      decide(keep, context, request, content),
    );
    if (answer.kind === 'pending' && answer.isRepeated) await renewPendingEvidence(keep, context, request, answer);
    return answer;
  } catch (error) {
    await recordRefusal(keep, context, request, error);
    throw error;
  }
}

/**
 * The pipeline proper; `content` is the digest by which a retry is known. Throws CoreError at the first step that refuses.
 */
export async function decide(
  keep: Keep,
  context: EnrollmentContext,
  request: EnrollRequest,
  content: Uint8Array,
): Promise<EnrollmentAnswer> {
  const isBusy = keep.inFlight.size > 1;
  const judged = await judge(keep, context, request, isBusy);
  const decided: DecidedEnrollment = {
    ...judged,
    request,
    content,
    enrollmentId: context.approval?.enrollmentId ?? newRequestId(),
  };
  if (judged.issuingProfile.profile.approval === 'required' && context.approval === undefined) {
    return await recordPending(keep, context, decided);
  }
  return await issueCertificate(keep, context, decided, isBusy);
}

/** Judges a request in full, as of now, and changes nothing. Throws CoreError at the first step that refuses. */
export async function judge(
  keep: Keep,
  context: EnrollmentContext,
  request: EnrollRequest,
  isBusy: boolean,
): Promise<JudgedEnrollment> {
  const now = keep.clock.now();
  const registrationAuthority = keep.registry.registrationAuthority(context.caller.name);

  const subjectKey = readSubjectKey(request);
  await subjectKey.provePossession(keep.verifier, isBusy);

  const issuingProfile = pickProfile(keep, registrationAuthority, request);
  const { profile } = issuingProfile;
  checkKeyQuality(subjectKey.description, profile.keys);
  refuseForbiddenKey(keep, subjectKey.fingerprint);

  const names = shapeNames(profile, subjectKey, request.names);
  checkScope(registrationAuthority.scope, profile.name, names);
  const renewed = readRenewedCertificate(keep, registrationAuthority, request);
  if (renewed !== undefined) checkRenewal(profile, renewed, names, request.changesNames);
  const extensions = decideExtensions(profile, subjectKey.extensions);

  const evidence = verifyEvidence(profile, request.evidence, keep.evidenceAnchors, now);
  const validated = await validateNames(keep, context, request, { issuingProfile, subjectKey, names, now });

  return {
    registrationAuthority,
    issuingProfile,
    subjectKey,
    names,
    extensions,
    renewed,
    evidence: [...evidence, ...validated.lines],
    validated,
    now,
  };
}
