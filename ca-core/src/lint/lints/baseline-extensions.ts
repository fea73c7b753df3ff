// Lints of the CA/Browser Forum's TLS Baseline Requirements over the extensions of subscriber certificates: §7.1.2.7.6 to
// §7.1.2.7.11 and §7.1.2.11. Sections are those of version 2.2.
import { accessMethods, algorithms, extensionIds, keyPurposes, policyIds } from '@gatehouse/pkix/object-identifiers';
import type { EncodedValue } from '../encoded-value.ts';
import type { Lint } from '../lint.ts';
import { quote } from '../quote.ts';
import { keyUsageBits } from './constraints.ts';
import { generalNameTags } from './subject-alternative-names.ts';

// Version 2.0 of the document, in force since this day, gave the extensions the tables that are cited here.
const baseline = { source: 'cabf-br', effective: '2023-09-15', severity: 'error', appliesTo: 'end-entity' } as const;

/** Key purposes that stand in no TLS server certificate. BR §7.1.2.7.10. */
const forbiddenPurposes: ReadonlySet<string> = new Set([
  keyPurposes.anyExtendedKeyUsage,
  keyPurposes.codeSigning,
  keyPurposes.emailProtection,
  keyPurposes.timeStamping,
  keyPurposes.OCSPSigning,
  '1.3.6.1.4.1.11129.2.4.4', // RFC 6962 §3.1: Precertificate Signing Certificate
]);

/** Reserved policy identifiers. BR §7.1.6.1. */
const reservedPolicies: ReadonlySet<string> = new Set([
  '2.23.140.1.2.1', // domain-validated
  '2.23.140.1.2.2', // organization-validated
  '2.23.140.1.2.3', // individual-validated
  '2.23.140.1.1', // extended validation
]);

/** Key usages that no TLS server certificate has. BR §7.1.2.7.11, both tables. */
const forbiddenUsages = ['nonRepudiation', 'keyCertSign', 'cRLSign', 'encipherOnly', 'decipherOnly'] as const;

function judgeHttp({ tag, text }: EncodedValue): string | undefined {
  return tag === generalNameTags.uniformResourceIdentifier && /^http:\/\//i.test(text)
    ? undefined
    : `location ${quote(text)} is no HTTP URL`;
}

function judgeAll(locations: readonly EncodedValue[]): string | undefined {
  for (const location of locations) {
    const complaint = judgeHttp(location);
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}

/** Lints of BR §7.1.2.7.6 to §7.1.2.7.11 and §7.1.2.11. */
export const baselineExtensionLints: readonly Lint[] = [
  {
    ...baseline,
    id: 'cabf-br-server-auth-present',
    citation: 'BR §7.1.2.7.10',
    effective: '2012-07-01',
    description: 'The extended key usage names serverAuth.',
    check: ({ extendedKeyUsage }) =>
      extendedKeyUsage?.includes(keyPurposes.serverAuth) === true ? undefined : 'extendedKeyUsage lacks serverAuth',
  },
  {
    ...baseline,
    id: 'cabf-br-extended-key-usage-forbidden',
    citation: 'BR §7.1.2.7.10',
    description: 'The extended key usage does not allow signing code, mail, time stamps or OCSP, nor any purpose.',
    check: ({ extendedKeyUsage }) => {
      const forbidden = extendedKeyUsage?.find((purpose) => forbiddenPurposes.has(purpose));
      return forbidden === undefined ? undefined : `key purpose ${forbidden} in extendedKeyUsage`;
    },
  },
  {
    ...baseline,
    id: 'cabf-br-extended-key-usage-others',
    citation: 'BR §7.1.2.7.10',
    severity: 'warning',
    description: 'Purposes beside serverAuth and clientAuth are not recommended.',
    check: ({ extendedKeyUsage }) => {
      const other = extendedKeyUsage?.find(
        (purpose) =>
          purpose !== keyPurposes.serverAuth && purpose !== keyPurposes.clientAuth && !forbiddenPurposes.has(purpose),
      );
      return other === undefined ? undefined : `key purpose ${other} in extendedKeyUsage`;
    },
  },
  {
    ...baseline,
    id: 'cabf-br-extended-key-usage-not-critical',
    citation: 'BR §7.1.2.7.6',
    description: 'The extended key usage is not critical.',
    check: (certificate) =>
      certificate.extension(extensionIds.extendedKeyUsage)?.isCritical === true
        ? 'extendedKeyUsage is critical'
        : undefined,
  },
  {
    ...baseline,
    id: 'cabf-br-key-usage-forbidden',
    citation: 'BR §7.1.2.7.11',
    description: 'The key usage has none of nonRepudiation, keyCertSign, cRLSign, encipherOnly, decipherOnly.',
    check: (certificate) => {
      const forbidden = forbiddenUsages.find((usage) => certificate.hasKeyUsage(keyUsageBits[usage]));
      return forbidden === undefined ? undefined : `${forbidden} in keyUsage`;
    },
  },
  {
    ...baseline,
    id: 'cabf-br-key-usage-digital-signature',
    citation: 'BR §7.1.2.7.11',
    description: 'The key usage of an elliptic-curve key, when present, has digitalSignature.',
    check: (certificate) =>
      certificate.keyUsage !== undefined &&
      certificate.key.algorithm === algorithms.ecPublicKey &&
      !certificate.hasKeyUsage(keyUsageBits.digitalSignature)
        ? 'keyUsage lacks digitalSignature'
        : undefined,
  },
  {
    ...baseline,
    id: 'cabf-br-key-usage-present',
    citation: 'BR §7.1.2.7.6',
    severity: 'warning',
    description: 'A key usage should be present.',
    check: ({ keyUsage }) => (keyUsage === undefined ? 'no keyUsage' : undefined),
  },
  {
    ...baseline,
    id: 'cabf-br-key-usage-not-recommended',
    citation: 'BR §7.1.2.7.11',
    severity: 'warning',
    description: 'dataEncipherment and keyAgreement are not recommended.',
    check: (certificate) => {
      const names = ['dataEncipherment', 'keyAgreement'] as const;
      const name = names.find((usage) => certificate.hasKeyUsage(keyUsageBits[usage]));
      return name === undefined ? undefined : `${name} in keyUsage`;
    },
  },
  {
    ...baseline,
    id: 'cabf-br-basic-constraints-critical',
    citation: 'BR §7.1.2.7.6, §7.1.2.7.8',
    description: 'basicConstraints, when present, is critical.',
    check: (certificate) =>
      certificate.extension(extensionIds.basicConstraints)?.isCritical === false
        ? 'basicConstraints is not critical'
        : undefined,
  },
  {
    ...baseline,
    id: 'cabf-br-name-constraints-absent',
    citation: 'BR §7.1.2.7.6',
    description: 'nameConstraints is absent.',
    check: (certificate) =>
      certificate.extension(extensionIds.nameConstraints) === undefined ? undefined : 'nameConstraints is present',
  },
  {
    ...baseline,
    id: 'cabf-br-authority-key-identifier-fields',
    citation: 'BR §7.1.2.11.1',
    description: 'authorityKeyIdentifier has neither authorityCertIssuer nor authorityCertSerialNumber.',
    check: ({ authorityKeyIdentifier: identifier }) =>
      identifier !== undefined && (identifier.hasIssuer || identifier.hasSerialNumber)
        ? 'authorityKeyIdentifier names issuer or serial number'
        : undefined,
  },
  {
    ...baseline,
    id: 'cabf-br-certificate-policies-present',
    citation: 'BR §7.1.2.7.9, §7.1.6.1',
    severity: 'notice',
    description: 'certificatePolicies holds exactly one reserved policy identifier.',
    check: ({ certificatePolicies }) => {
      const count = certificatePolicies?.filter((policy) => reservedPolicies.has(policy)).length ?? 0;
      return count === 1 ? undefined : `${count} reserved policy identifiers in certificatePolicies`;
    },
  },
  {
    ...baseline,
    id: 'cabf-br-any-policy-absent',
    citation: 'BR §7.1.2.7.9',
    description: 'certificatePolicies does not hold anyPolicy.',
    check: ({ certificatePolicies }) =>
      certificatePolicies?.includes(policyIds.anyPolicy) === true ? 'anyPolicy in certificatePolicies' : undefined,
  },
  {
    ...baseline,
    id: 'cabf-br-certificate-policies-not-critical',
    citation: 'BR §7.1.2.7.6',
    description: 'certificatePolicies is not critical.',
    check: (certificate) =>
      certificate.extension(extensionIds.certificatePolicies)?.isCritical === true
        ? 'certificatePolicies is critical'
        : undefined,
  },
  {
    ...baseline,
    id: 'cabf-br-authority-information-access-present',
    citation: 'BR §7.1.2.7.6',
    severity: 'notice',
    description: 'authorityInfoAccess is present.',
    check: ({ authorityInformationAccess }) =>
      authorityInformationAccess === undefined ? 'no authorityInfoAccess' : undefined,
  },
  {
    ...baseline,
    id: 'cabf-br-authority-information-access-methods',
    citation: 'BR §7.1.2.7.7',
    description: 'authorityInfoAccess holds HTTP URLs of OCSP responders and of issuer certificates only.',
    check: ({ authorityInformationAccess: descriptions }) => {
      const other = descriptions?.find(
        ({ method }) => method !== accessMethods.ocsp && method !== accessMethods.caIssuers,
      );
      if (other !== undefined) return `access method ${other.method} in authorityInfoAccess`;
      return descriptions && judgeAll(descriptions.map(({ location }) => location));
    },
  },
  {
    ...baseline,
    id: 'cabf-br-status-location-present',
    citation: 'BR §7.1.2.11.2',
    severity: 'notice',
    description: 'A certificate without OCSP location has cRLDistributionPoints, unless it is short-lived.',
    check: ({ authorityInformationAccess, crlDistributionPoints, notBeforeMs, notAfterMs }) => {
      if (crlDistributionPoints !== undefined || notAfterMs - notBeforeMs + 1000 <= shortLivedMs) return undefined;
      const hasOcsp = authorityInformationAccess?.some(({ method }) => method === accessMethods.ocsp) === true;
      return hasOcsp ? undefined : 'neither an OCSP location nor cRLDistributionPoints';
    },
  },
  {
    ...baseline,
    id: 'cabf-br-distribution-point-form',
    citation: 'BR §7.1.2.11.2',
    description: 'A distribution point is a full name of HTTP URLs, without reasons and issuer.',
    check: ({ crlDistributionPoints }) => {
      for (const { names, hasReasons, hasIssuer } of crlDistributionPoints ?? []) {
        if (names === undefined || names.length === 0) return 'a distribution point has no full name';
        if (hasReasons || hasIssuer) return 'a distribution point has reasons or an issuer';
        const complaint = judgeAll(names);
        if (complaint !== undefined) return complaint;
      }
      return undefined;
    },
  },
];

/** BR §1.6.1, Short-lived Subscriber Certificate: seven days from 2026-03-15 on, ten before; the stricter is taken. */
const shortLivedMs = 7 * 86_400_000;
