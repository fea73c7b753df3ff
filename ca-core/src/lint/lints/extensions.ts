// Lints over extensions that concern all certificates: criticality as RFC 5280 §4.2 fixes it row by row, and the key
// identifiers of §4.2.1.1 and §4.2.1.2.
import { extensionIds, keyPurposes } from '@gatehouse/pkix/object-identifiers';
import type { Lint, LintSeverity } from '../lint.ts';

const rfc5280 = { source: 'rfc5280', effective: '2008-05-01', severity: 'error', appliesTo: 'all' } as const;

type CriticalityRow = {
  readonly name: string;
  readonly id: string;
  readonly section: string;
  readonly isCritical: boolean;
  readonly severity: LintSeverity;
};

/** Extensions whose criticality is always the same. Those that depend on something have lints of their own. */
const criticality: readonly CriticalityRow[] = [
  row('authority-key-identifier', extensionIds.authorityKeyIdentifier, '§4.2.1.1', false, 'error'),
  row('subject-key-identifier', extensionIds.subjectKeyIdentifier, '§4.2.1.2', false, 'error'),
  row('key-usage', extensionIds.keyUsage, '§4.2.1.3', true, 'warning'),
  row('policy-mappings', extensionIds.policyMappings, '§4.2.1.5', true, 'warning'),
  row('issuer-alternative-name', extensionIds.issuerAlternativeName, '§4.2.1.7', false, 'warning'),
  row('subject-directory-attributes', extensionIds.subjectDirectoryAttributes, '§4.2.1.8', false, 'error'),
  row('name-constraints', extensionIds.nameConstraints, '§4.2.1.10', true, 'error'),
  row('policy-constraints', extensionIds.policyConstraints, '§4.2.1.11', true, 'error'),
  row('crl-distribution-points', extensionIds.crlDistributionPoints, '§4.2.1.13', false, 'warning'),
  row('inhibit-any-policy', extensionIds.inhibitAnyPolicy, '§4.2.1.14', true, 'error'),
  row('freshest-crl', extensionIds.freshestCrl, '§4.2.1.15', false, 'error'),
  row('authority-information-access', extensionIds.authorityInformationAccess, '§4.2.2.1', false, 'error'),
  row('subject-information-access', extensionIds.subjectInformationAccess, '§4.2.2.2', false, 'error'),
];

function row(name: string, id: string, section: string, isCritical: boolean, severity: LintSeverity): CriticalityRow {
  return { name, id, section, isCritical, severity };
}

function criticalityLint({ name, id, section, isCritical, severity }: CriticalityRow): Lint {
  const not = isCritical ? '' : 'not ';
  return {
    ...rfc5280,
    id: `rfc5280-${name}-${isCritical ? 'critical' : 'not-critical'}`,
    citation: `RFC 5280 ${section}`,
    severity,
    description: `The extension ${id} (${name}) is ${not}critical.`,
    check: (certificate) => {
      const extension = certificate.extension(id);
      if (extension === undefined || extension.isCritical === isCritical) return undefined;
      return `extension ${id} is ${extension.isCritical ? '' : 'not '}critical`;
    },
  };
}

/** Lints of RFC 5280 §4.2: criticality, key identifiers, extended key usage. */
export const extensionLints: readonly Lint[] = [
  ...criticality.map(criticalityLint),
  {
    ...rfc5280,
    id: 'rfc5280-ca-subject-key-identifier-present',
    citation: 'RFC 5280 §4.2.1.2',
    appliesTo: 'ca',
    description: 'A CA certificate has a subject key identifier.',
    check: (certificate) =>
      certificate.extension(extensionIds.subjectKeyIdentifier) === undefined ? 'no subjectKeyIdentifier' : undefined,
  },
  {
    ...rfc5280,
    id: 'rfc5280-subject-key-identifier-present',
    citation: 'RFC 5280 §4.2.1.2',
    severity: 'warning',
    appliesTo: 'end-entity',
    description: 'An end-entity certificate should have a subject key identifier.',
    check: (certificate) =>
      certificate.extension(extensionIds.subjectKeyIdentifier) === undefined ? 'no subjectKeyIdentifier' : undefined,
  },
  {
    ...rfc5280,
    id: 'rfc5280-authority-key-identifier-present',
    citation: 'RFC 5280 §4.2.1.1',
    description: 'A certificate that is not self-signed has an authority key identifier with a keyIdentifier.',
    check: (certificate) => {
      if (certificate.isSelfIssued) return undefined;
      if (certificate.authorityKeyIdentifier === undefined) return 'no authorityKeyIdentifier';
      return (certificate.authorityKeyIdentifier.keyIdentifier?.length ?? 0) === 0
        ? 'authorityKeyIdentifier has no keyIdentifier'
        : undefined;
    },
  },
  {
    ...rfc5280,
    id: 'rfc5280-authority-key-identifier-issuer-and-serial',
    citation: 'RFC 5280 appendix A.2 (AuthorityKeyIdentifier)',
    description: 'authorityCertIssuer and authorityCertSerialNumber are both present or both absent.',
    check: ({ authorityKeyIdentifier }) =>
      authorityKeyIdentifier !== undefined &&
      authorityKeyIdentifier.hasIssuer !== authorityKeyIdentifier.hasSerialNumber
        ? 'authorityKeyIdentifier has only one of authorityCertIssuer and authorityCertSerialNumber'
        : undefined,
  },
  {
    ...rfc5280,
    id: 'rfc5280-extended-key-usage-not-empty',
    citation: 'RFC 5280 §4.2.1.12 (SIZE (1..MAX))',
    description: 'An extended key usage names at least one purpose.',
    check: ({ extendedKeyUsage }) => (extendedKeyUsage?.length === 0 ? 'extendedKeyUsage is empty' : undefined),
  },
  {
    ...rfc5280,
    id: 'rfc5280-any-extended-key-usage-not-critical',
    citation: 'RFC 5280 §4.2.1.12',
    severity: 'warning',
    description: 'An extended key usage with anyExtendedKeyUsage should not be critical.',
    check: (certificate) =>
      certificate.extension(extensionIds.extendedKeyUsage)?.isCritical === true &&
      certificate.extendedKeyUsage?.includes(keyPurposes.anyExtendedKeyUsage) === true
        ? 'anyExtendedKeyUsage in a critical extension'
        : undefined,
  },
];
