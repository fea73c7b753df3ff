// Lints over what a certificate says about its own revocation: that nothing is ever published (noRevAvail, RFC 9608), or
// that a responder is trusted without asking (ocspNoCheck, RFC 6960 §4.2.2.2.1). Where it is published is a matter of
// locations.ts.
import { accessMethods, extensionIds, keyPurposes } from '@gatehouse/pkix/object-identifiers';
import type { Lint } from '../lint.ts';
import type { ExtensionView, LintSubject } from '../subject.ts';

const rfc9608 = { source: 'rfc5280', effective: '2024-06-01', severity: 'error', appliesTo: 'all' } as const;
const rfc6960 = { source: 'rfc5280', effective: '2013-06-01', severity: 'error', appliesTo: 'all' } as const;

function isNull({ value: { contents } }: ExtensionView): boolean {
  return contents.length === 2 && contents[0] === 0x05 && contents[1] === 0x00;
}

function judgeNull(certificate: LintSubject, id: string, name: string): string | undefined {
  const extension = certificate.extension(id);
  return extension === undefined || isNull(extension) ? undefined : `the value of ${name} is not NULL`;
}

function judgeCriticality(certificate: LintSubject, id: string, name: string): string | undefined {
  return certificate.extension(id)?.isCritical === true ? `${name} is critical` : undefined;
}

function isWithoutRevocation(certificate: LintSubject): boolean {
  return certificate.extension(extensionIds.noRevAvail) !== undefined;
}

/** Complains when an extension stands beside noRevAvail. */
function judgeBeside(certificate: LintSubject, id: string, name: string): string | undefined {
  return isWithoutRevocation(certificate) && certificate.extension(id) !== undefined
    ? `${name} stands beside noRevAvail`
    : undefined;
}

function namesResponder({ authorityInformationAccess }: LintSubject): boolean {
  return authorityInformationAccess?.some(({ method }) => method === accessMethods.ocsp) === true;
}

/** Lints of RFC 9608 §2 and §3, and of RFC 6960 §4.2.2.2.1. */
export const revocationLints: readonly Lint[] = [
  {
    ...rfc9608,
    id: 'rfc9608-no-rev-avail-null',
    citation: 'RFC 9608 §2',
    description: 'The value of noRevAvail is NULL.',
    check: (certificate) => judgeNull(certificate, extensionIds.noRevAvail, 'noRevAvail'),
  },
  {
    ...rfc9608,
    id: 'rfc9608-no-rev-avail-not-critical',
    citation: 'RFC 9608 §2',
    description: 'noRevAvail is not critical.',
    check: (certificate) => judgeCriticality(certificate, extensionIds.noRevAvail, 'noRevAvail'),
  },
  {
    ...rfc9608,
    id: 'rfc9608-no-rev-avail-not-in-ca',
    citation: 'RFC 9608 §3',
    appliesTo: 'ca',
    description: 'noRevAvail never stands in a CA certificate.',
    check: (certificate) => (isWithoutRevocation(certificate) ? 'noRevAvail in a CA certificate' : undefined),
  },
  {
    ...rfc9608,
    id: 'rfc9608-no-rev-avail-without-distribution-points',
    citation: 'RFC 9608 §3',
    description: 'cRLDistributionPoints never stands beside noRevAvail.',
    check: (certificate) => judgeBeside(certificate, extensionIds.crlDistributionPoints, 'cRLDistributionPoints'),
  },
  {
    ...rfc9608,
    id: 'rfc9608-no-rev-avail-without-freshest-crl',
    citation: 'RFC 9608 §3',
    description: 'freshestCRL never stands beside noRevAvail.',
    check: (certificate) => judgeBeside(certificate, extensionIds.freshestCrl, 'freshestCRL'),
  },
  {
    ...rfc9608,
    id: 'rfc9608-no-rev-avail-without-responder',
    citation: 'RFC 9608 §3',
    description: 'authorityInfoAccess beside noRevAvail names no OCSP responder.',
    check: (certificate) =>
      isWithoutRevocation(certificate) && namesResponder(certificate)
        ? 'an OCSP location stands beside noRevAvail'
        : undefined,
  },
  {
    ...rfc6960,
    id: 'rfc6960-ocsp-no-check-null',
    citation: 'RFC 6960 §4.2.2.2.1',
    description: 'The value of ocspNoCheck is NULL.',
    check: (certificate) => judgeNull(certificate, extensionIds.ocspNoCheck, 'ocspNoCheck'),
  },
  {
    ...rfc6960,
    id: 'rfc6960-ocsp-no-check-not-critical',
    citation: 'RFC 6960 §4.2.2.2.1',
    severity: 'warning',
    description: 'ocspNoCheck should not be critical.',
    check: (certificate) => judgeCriticality(certificate, extensionIds.ocspNoCheck, 'ocspNoCheck'),
  },
  {
    ...rfc6960,
    id: 'rfc6960-responder-status-settled',
    citation: 'RFC 6960 §4.2.2.2.1',
    // The third way of the section, to say nothing, leaves each client to its own policy: allowed, and a trap.
    severity: 'warning',
    appliesTo: 'end-entity',
    description: 'A certificate for OCSPSigning has ocspNoCheck, or names where its own status is found.',
    check: (certificate) => {
      if (certificate.extendedKeyUsage?.includes(keyPurposes.OCSPSigning) !== true) return undefined;
      const isSettled =
        certificate.extension(extensionIds.ocspNoCheck) !== undefined ||
        certificate.extension(extensionIds.crlDistributionPoints) !== undefined ||
        isWithoutRevocation(certificate) ||
        namesResponder(certificate);
      return isSettled ? undefined : 'OCSPSigning without ocspNoCheck and without a status location';
    },
  },
];
