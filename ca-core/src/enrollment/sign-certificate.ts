/**
 * From decided contents to a signed certificate: serial number, CRL, shape, lint, sign, check (CORE.md, steps 6 to 8).
 * Every certificate of the issuing CA is made here, whoever wants it. What comes back must be recorded before anybody
 * gets it.
 */
import { hash } from 'node:crypto';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Authority } from '../authorities/authority.ts';
import type { Keep } from '../keep.ts';
import { SignerError } from '../keys/signer.ts';
import { lintCertificate, readLintSubject, refuseLinted } from '../lint/lint.ts';
import { assembleCertificate } from '../x509/certificate.ts';
import { type CertificateContents, writeTbsCertificate } from '../x509/certificate-template.ts';
import { formatSerialNumber, newSerialNumber } from '../x509/serial-number.ts';
import type { IssuingProfile } from './issuing-profile.ts';

/** What is about to be signed. */
export type IntendedCertificate = { readonly serialNumber: string; readonly tbsSha256: Uint8Array };

/** A certificate that is wanted, and everything about it that is decided. */
export type CertificateToSign = {
  readonly issuingProfile: IssuingProfile;
  readonly contents: Omit<CertificateContents, 'serialNumber' | 'distributionPoint'>;
  /** When it is issued, which decides on the lints that are in force. */
  readonly now: Date;
  /** Whether others wait too, so that the verifier's thread is worth its trip. */
  readonly isBusy: boolean;
  /** Makes the intent durable; called before a token is asked for the signature, and not at all with a software key. */
  recordIntent(intended: IntendedCertificate): Promise<void>;
};

/** A certificate and what is recorded about it. */
export type SignedCertificate = IntendedCertificate & {
  /** DER. */
  readonly certificate: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The CRL that it names; empty: none. */
  readonly crlScope: string;
};

/** Signs. Throws CoreError `profile-refuses` when a lint objects, `unavailable` when the signer cannot. */
export async function signCertificate(
  keep: Pick<Keep, 'instance' | 'verifier' | 'metrics'>,
  { issuingProfile, contents, now, isBusy, recordIntent }: CertificateToSign,
): Promise<SignedCertificate> {
  const { profile, authority, template } = issuingProfile;
  const serialNumber = newSerialNumber(keep.instance.serialNumberPrefix);
  const { scope: crlScope, distributionPoint } = issuingProfile.assignCrl(serialNumber);
  const tbs = writeTbsCertificate(template, { ...contents, serialNumber, distributionPoint });
  refuseLinted(lintCertificate(readLintSubject(tbs), { ...profile.lints, at: now }));

  const intended = { serialNumber: formatSerialNumber(serialNumber), tbsSha256: hash('sha256', tbs, 'buffer') };
  // With a token the intent is durable before the signature exists, so that a crash leaves word of it.
  if (!authority.signer.isSynchronous) await recordIntent(intended);

  const certificate = await sign(keep, authority, tbs);
  await keep.verifier.checkIssued({ certificate, tbs, issuer: authority.certificate }, isBusy);
  return { ...intended, certificate, notBefore: contents.notBefore, notAfter: contents.notAfter, crlScope };
}

/** The certificate with its signature. Throws CoreError `unavailable` when the key cannot be used now. */
async function sign(
  { metrics }: Pick<Keep, 'metrics'>,
  { name, signer }: Authority,
  tbs: Uint8Array,
): Promise<Uint8Array> {
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
