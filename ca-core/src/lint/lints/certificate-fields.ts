// Lints over the fields of a TBSCertificate before its extensions: RFC 5280 §4.1.1 and §4.1.2, without names and keys.
import { tags } from '@gatehouse/pkix/der/reader';
import type { Lint } from '../lint.ts';
import type { LintSubject } from '../subject.ts';

const rfc5280 = { source: 'rfc5280', effective: '2008-05-01', severity: 'error', appliesTo: 'all' } as const;

/** First instant that must be written as GeneralizedTime. */
const generalizedTimeFromMs = Date.UTC(2050, 0, 1);

/** Lints of RFC 5280 §4.1.1 and §4.1.2, without names and keys. */
export const certificateFieldLints: readonly Lint[] = [
  {
    ...rfc5280,
    id: 'rfc5280-version-3',
    citation: 'RFC 5280 §4.1.2.1',
    description: 'A certificate with extensions is of version 3.',
    check: ({ version, hasExtensions }) =>
      version !== 3 && (hasExtensions || version > 3) ? `version ${version} with extensions` : undefined,
  },
  {
    ...rfc5280,
    id: 'rfc5280-serial-number-positive',
    citation: 'RFC 5280 §4.1.2.2',
    description: 'The serial number is a positive integer.',
    check: ({ serialNumber }) => {
      if ((serialNumber[0] ?? 0) >= 0x80) return 'the serial number is negative';
      return serialNumber.every((octet) => octet === 0) ? 'the serial number is zero' : undefined;
    },
  },
  {
    ...rfc5280,
    id: 'rfc5280-serial-number-length',
    citation: 'RFC 5280 §4.1.2.2',
    description: 'The serial number has at most 20 octets.',
    check: ({ serialNumber }) =>
      serialNumber.length > 20 ? `the serial number has ${serialNumber.length} octets` : undefined,
  },
  {
    ...rfc5280,
    id: 'rfc5280-serial-number-minimal',
    citation: 'X.690 §8.3.2 (RFC 5280 §4.1)',
    description: 'The serial number has no padding octet.',
    check: ({ serialNumber }) => {
      const [first, second] = [serialNumber[0], serialNumber[1]];
      if (second === undefined) return undefined;
      const isPadded = (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80);
      return isPadded ? 'the serial number is padded' : undefined;
    },
  },
  {
    ...rfc5280,
    id: 'rfc5280-signature-algorithm-identical',
    citation: 'RFC 5280 §4.1.1.2',
    description: 'The signature algorithm inside and beside the TBSCertificate is the same.',
    check: ({ isSignatureAlgorithmIdentical }) =>
      isSignatureAlgorithmIdentical ? undefined : 'signature and signatureAlgorithm differ',
  },
  {
    ...rfc5280,
    id: 'rfc5280-unique-identifiers-absent',
    citation: 'RFC 5280 §4.1.2.8',
    description: 'Issuer and subject unique identifiers are not generated.',
    check: ({ hasUniqueIdentifier }) => (hasUniqueIdentifier ? 'a unique identifier is present' : undefined),
  },
  {
    ...rfc5280,
    id: 'rfc5280-validity-form',
    citation: 'RFC 5280 §4.1.2.5.1, §4.1.2.5.2',
    description: 'Times are given to the second in Greenwich Mean Time, without fractions.',
    check: (certificate) => {
      if (Number.isNaN(certificate.notBeforeMs)) return 'notBefore is not YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ';
      return Number.isNaN(certificate.notAfterMs) ? 'notAfter is not YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ' : undefined;
    },
  },
  {
    ...rfc5280,
    id: 'rfc5280-validity-time-type',
    citation: 'RFC 5280 §4.1.2.5',
    description: 'Dates through 2049 are UTCTime, dates from 2050 GeneralizedTime.',
    check: (certificate) =>
      describeTimeType('notBefore', certificate.notBefore.tag, certificate.notBeforeMs) ??
      describeTimeType('notAfter', certificate.notAfter.tag, certificate.notAfterMs),
  },
  {
    ...rfc5280,
    id: 'rfc5280-validity-order',
    citation: 'RFC 5280 §4.1.2.5',
    description: 'notBefore is earlier than notAfter.',
    check: ({ notBeforeMs, notAfterMs }) => (notBeforeMs >= notAfterMs ? 'notAfter is not after notBefore' : undefined),
  },
  {
    ...rfc5280,
    id: 'rfc5280-extensions-not-empty',
    citation: 'RFC 5280 §4.1.2.9',
    description: 'When the extensions field is present, it holds an extension.',
    check: ({ hasExtensions, extensions }) =>
      hasExtensions && extensions.length === 0 ? 'the extensions field is empty' : undefined,
  },
  {
    ...rfc5280,
    id: 'rfc5280-extensions-unique',
    citation: 'RFC 5280 §4.2',
    description: 'No extension stands twice.',
    check: describeDuplicate,
  },
  {
    ...rfc5280,
    id: 'rfc5280-default-values-omitted',
    citation: 'X.690 §11.5 (RFC 5280 §4.1)',
    description: 'Default values (version 1, critical FALSE, cA FALSE) are not encoded.',
    check: (certificate) => {
      const extension = certificate.extensions.find(({ isDefaultEncoded }) => isDefaultEncoded);
      if (extension !== undefined) return `extension ${extension.id} encodes critical FALSE`;
      return certificate.basicConstraints?.isDefaultEncoded === true ? 'basicConstraints encodes cA FALSE' : undefined;
    },
  },
];

function describeTimeType(field: string, tag: number, ms: number): string | undefined {
  const expected = ms < generalizedTimeFromMs ? tags.utcTime : tags.generalizedTime;
  if (Number.isNaN(ms) || tag === expected) return undefined;
  return `${field} is ${tag === tags.utcTime ? 'UTCTime' : 'GeneralizedTime'}`;
}

function describeDuplicate({ extensions, distinctExtensions }: LintSubject): string | undefined {
  if (distinctExtensions === extensions.length) return undefined;
  for (let i = 1; i < extensions.length; i++) {
    for (let j = 0; j < i; j++) {
      if (extensions[i]?.id === extensions[j]?.id) return `extension ${extensions[i]?.id} stands twice`;
    }
  }
  return undefined;
}
