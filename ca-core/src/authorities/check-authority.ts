// What must be true of a CA certificate before the core signs in its name (RFC 5280 §4.2.1, §6.1). Each fault is one
// message with what to do about it; nothing is repaired here.
import { type Certificate, extensionOf } from '@gatehouse/pkix/certificate';
import { PkixError } from '@gatehouse/pkix/errors';
import { readBasicConstraints, readKeyUsage } from '@gatehouse/pkix/extensions';
import { areNamesEqual, formatName } from '@gatehouse/pkix/names';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import { verifySignature } from '@gatehouse/pkix/signature-algorithms';
import { FatalError } from '@gatehouse/runtime/fatal';

/**
 * Checks that the certificate is a CA's and in force at `now`.
 *
 * @throws {FatalError}
 */
export function checkAuthorityCertificate(certificate: Certificate, path: string, now: Date): void {
  if (now < certificate.notBefore) {
    throw new FatalError(
      `the clock shows ${now.toISOString()}, before ${path} begins (notBefore ${certificate.notBefore.toISOString()})`,
      { hint: 'set the clock of this machine; certificates issued now would be dated wrongly' },
    );
  }
  // RFC 5280 §4.1.2.5: notAfter is the last second of the period.
  if (now.getTime() >= certificate.notAfter.getTime() + 1000) {
    throw new FatalError(
      `the certificate ${path} has expired (notAfter ${certificate.notAfter.toISOString()}, the clock shows ${now.toISOString()})`,
      { hint: 'check the clock of this machine; if it is right, this authority must be renewed' },
    );
  }
  if (!mayCertify(certificate)) {
    throw new FatalError(`the certificate ${path} is not that of a CA`, {
      hint: 'it needs basicConstraints with cA and keyUsage with keyCertSign; restore the right one from a backup',
    });
  }
}

/**
 * Checks that `issuer` signed `certificate` and outlives it; an authority is its own issuer when it is self-signed.
 *
 * @throws {FatalError}
 */
export function checkIssuedBy(certificate: Certificate, path: string, issuer: Certificate, issuerPath: string): void {
  const reason = chainFault(certificate, issuer);
  if (reason === undefined) return;
  throw new FatalError(`the certificate ${path} does not follow from ${issuerPath}: ${reason}`, {
    hint: 'restore both files from the same backup',
  });
}

function chainFault(certificate: Certificate, issuer: Certificate): string | undefined {
  if (!areNamesEqual(certificate.issuer, issuer.subject)) {
    return `its issuer is '${formatName(certificate.issuer)}', not '${formatName(issuer.subject)}'`;
  }
  const verification = verifySignature({
    algorithm: certificate.signatureAlgorithm,
    spki: issuer.subjectPublicKeyInfo,
    data: certificate.tbs,
    signature: certificate.signature,
  });
  if (!verification.ok) return verification.reason;
  if (certificate.notAfter > issuer.notAfter) {
    return `it ends at ${certificate.notAfter.toISOString()}, after its issuer (${issuer.notAfter.toISOString()})`;
  }
  return undefined;
}

function mayCertify(certificate: Certificate): boolean {
  const constraints = extensionOf(certificate, extensionIds.basicConstraints);
  const usage = extensionOf(certificate, extensionIds.keyUsage);
  if (constraints === undefined || usage === undefined) return false;
  try {
    return readBasicConstraints(constraints.value).ca && readKeyUsage(usage.value).includes('keyCertSign');
  } catch (error) {
    if (error instanceof PkixError) return false;
    throw error;
  }
}
