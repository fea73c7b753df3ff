/**
 * From a decided enrollment to a durable certificate: shape, lint, sign, check, record (CORE.md, steps 6 to 9).
 * A certificate never leaves this file before the transaction that records it, its request and its audit event.
 */
import { hash } from 'node:crypto';
import type { Extension } from '@gatehouse/pkix/extensions';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import type { Name } from '@gatehouse/pkix/names';
import type { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import { CoreError } from '@gatehouse/proto/core-error';
import { durationToMs } from '@gatehouse/proto/duration';
import type { Authority } from '../authorities/authority.ts';
import type { Keep } from '../keep.ts';
import { SignerError } from '../keys/signer.ts';
import { lintCertificate, readLintSubject, refuseLinted } from '../lint/lint.ts';
import type { RegistrationAuthority } from '../registry/registry.ts';
import { assembleCertificate } from '../x509/certificate.ts';
import { writeTbsCertificate } from '../x509/certificate-template.ts';
import { formatSerialNumber, newSerialNumber } from '../x509/serial-number.ts';
import type { IssuedAnswer } from './answer.ts';
import { recordIntent } from './intent.ts';
import { issuedWriteSet } from './issued-write-set.ts';
import type { IssuingProfile } from './issuing-profile.ts';
import type { EnrollmentContext } from './pipeline.ts';
import type { RenewedCertificate } from './renewed-certificate.ts';
import type { SubjectKey } from './subject-key.ts';
import { decideValidity } from './validity.ts';

/** An enrollment on which every step before 'shape' has agreed. */
export type DecidedEnrollment = {
  readonly request: EnrollRequest;
  /** SHA-256 of the request's content, by which a retry is known. */
  readonly content: Uint8Array;
  readonly enrollmentId: string;
  readonly registrationAuthority: RegistrationAuthority;
  readonly issuingProfile: IssuingProfile;
  readonly subjectKey: SubjectKey;
  readonly names: { readonly subject: Name; readonly names: readonly GeneralName[] };
  readonly extensions: readonly Extension[];
  readonly renewed: RenewedCertificate | undefined;
  /** What the evidence said, for the audit log. */
  readonly evidence: readonly string[];
  readonly now: Date;
};

/** A certificate and what is recorded about it. */
export type IssuedCertificate = {
  readonly certificate: Uint8Array;
  readonly serialNumber: string;
  readonly tbsSha256: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The CRL that it names; empty: none. */
  readonly crlScope: string;
};

/** Issues. Throws CoreError `profile-refuses` when a lint objects, `unavailable` when the signer or the store cannot. */
export async function issueCertificate(
  keep: Keep,
  context: EnrollmentContext,
  enrollment: DecidedEnrollment,
  isBusy: boolean,
): Promise<IssuedAnswer> {
  const { issuingProfile, registrationAuthority, request, subjectKey, now } = enrollment;
  const { profile, authority, template, assignCrl } = issuingProfile;

  const validity = decideValidity(
    {
      profile,
      wantedMs: request.validity === undefined ? undefined : durationToMs(request.validity),
      registrationAuthorityMaximumMs: registrationAuthority.maximumValidityMs,
      issuer: authority.certificate,
    },
    now,
  );
  const serialNumber = newSerialNumber(keep.instance.serialNumberPrefix);
  const crl = assignCrl(serialNumber);
  const tbs = writeTbsCertificate(template, {
    serialNumber,
    ...validity,
    subject: enrollment.names.subject,
    names: enrollment.names.names,
    subjectPublicKeyInfo: subjectKey.subjectPublicKeyInfo,
    extensions: enrollment.extensions,
    distributionPoint: crl.distributionPoint,
  });
  refuseLinted(lintCertificate(readLintSubject(tbs), { ...profile.lints, at: now }));

  const serial = formatSerialNumber(serialNumber);
  const tbsSha256 = hash('sha256', tbs, 'buffer');
  // With a token the intent is durable before the signature exists, so that a crash leaves word of it.
  if (!authority.signer.isSynchronous)
    await recordIntent(keep, context, enrollment, { serialNumber: serial, tbsSha256 });

  const certificate = await sign(keep, authority, tbs);
  await keep.verifier.checkIssued({ certificate, tbs, issuer: authority.certificate }, isBusy);

  const issued: IssuedCertificate = { certificate, serialNumber: serial, tbsSha256, ...validity, crlScope: crl.scope };
  await keep.store.commit(issuedWriteSet(keep, context, enrollment, issued));
  keep.statusFeed.wake();
  keep.metrics.certificatesIssued.inc({ profile: profile.name });
  context.log.info(
    { requestId: context.requestId, caller: context.caller.uri, profile: profile.name, serialNumber: serial },
    'certificate issued',
  );
  return {
    kind: 'issued',
    requestId: enrollment.enrollmentId,
    certificate,
    chain: authority.chain,
    serialNumber: serial,
    ...validity,
    isRepeated: false,
  };
}

/** The certificate with its signature. Throws CoreError `unavailable` when the key cannot be used now. */
async function sign({ metrics }: Keep, { name, signer }: Authority, tbs: Uint8Array): Promise<Uint8Array> {
  const stopTimer = metrics.signingDuration.startTimer({ authority: name });
  try {
    return assembleCertificate(tbs, signer.signatureAlgorithm, await signer.sign(tbs));
  } catch (cause) {
    if (!(cause instanceof SignerError)) throw cause;
    throw new CoreError('unavailable', 'the CA cannot sign at the moment', { retryAfterSeconds: 5, cause });
  } finally {
    stopTimer();
  }
}
