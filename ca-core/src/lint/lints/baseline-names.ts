// Lints of the CA/Browser Forum's TLS Baseline Requirements over subject and alternative names: §7.1.2.7.12, §7.1.4.
// Sections are those of version 2.2. Rules that only make sense for names of the public Internet are notices.
import { formatIpAddress } from '@gatehouse/pkix/ip-address';
import { attributeTypes, extensionIds } from '@gatehouse/pkix/object-identifiers';
import { countryCodes } from '../country-codes.ts';
import { hasPrivateSuffix, isInternalName, isReservedAddress, isReverseZoneName } from '../internet-names.ts';
import type { Lint } from '../lint.ts';
import { attributeText, type NameView } from '../name-view.ts';
import { quote } from '../quote.ts';
import type { LintSubject } from '../subject.ts';
import { generalNameTags, judgeNamesOfKind } from './subject-alternative-names.ts';

const baseline = { source: 'cabf-br', effective: '2012-07-01', severity: 'error', appliesTo: 'end-entity' } as const;

/** Attributes that may stand more than once in a name. BR §7.1.4.1, §7.1.4.2. */
const repeatable: ReadonlySet<string> = new Set([attributeTypes.DC, attributeTypes.STREET]);

function judgeDnsNames({ dnsNames }: LintSubject, judge: (name: string) => string | undefined): string | undefined {
  for (const name of dnsNames) {
    const complaint = judge(name);
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}

/** The domain name that a wildcard stands for, or the name itself. */
function withoutWildcard(name: string): string {
  return name.startsWith('*.') ? name.slice(2) : name;
}

// RFC 5890 §2.3.1: labels with hyphens in third and fourth place are reserved, A-labels (xn--) excepted.
function judgeReservedLabels(name: string): string | undefined {
  if (!name.includes('--')) return undefined;
  const reserved = name.split('.').find((label) => label.slice(2, 4) === '--' && !/^xn--/i.test(label));
  return reserved === undefined ? undefined : `dNSName ${quote(name)} has reserved label ${quote(reserved)}`;
}

function judgeWildcard(name: string): string | undefined {
  if (!name.includes('*')) return undefined;
  const isLeftMostLabel = name.startsWith('*.') && !name.slice(1).includes('*');
  // A single label is a whole public zone (BR §3.2.2.6), but *.localhost is one machine's own business.
  const isBelowDomain = name.indexOf('.', 2) > 0 || hasPrivateSuffix(name);
  return isLeftMostLabel && isBelowDomain ? undefined : `dNSName ${quote(name)} is not *. before a domain name`;
}

function describeCommonName(certificate: LintSubject): string | undefined {
  const commonNames = certificate.subject.attributes.filter(({ type }) => type === attributeTypes.CN);
  const [first] = commonNames;
  if (first === undefined) return undefined;
  const commonName = attributeText(first);
  const names = certificate.subjectAlternativeName ?? [];
  const isNamed = names.some(({ tag, text, contents }) => {
    if (tag === generalNameTags.dNSName) return text === commonName;
    // RFC 5952 §4 for version 6, dotted decimals for version 4.
    return tag === generalNameTags.iPAddress && formatIpAddress(contents) === commonName;
  });
  return isNamed ? undefined : `commonName ${quote(commonName)} is none of the alternative names`;
}

function describeRepeatedAttribute({ attributes }: NameView): string | undefined {
  const twice = attributes.find(
    ({ type }, i) => !repeatable.has(type) && attributes.findIndex((other) => other.type === type) !== i,
  );
  return twice === undefined ? undefined : `attribute ${twice.type} stands twice`;
}

/** Lints of BR §7.1.2.7.12 and §7.1.4. */
export const baselineNameLints: readonly Lint[] = [
  {
    ...baseline,
    id: 'cabf-br-subject-alternative-name-present',
    citation: 'BR §7.1.2.7.12',
    description: 'A certificate has a subjectAltName with a DNS name or an address.',
    check: ({ subjectAlternativeName }) =>
      subjectAlternativeName?.some(
        ({ tag }) => tag === generalNameTags.dNSName || tag === generalNameTags.iPAddress,
      ) === true
        ? undefined
        : 'no DNS name and no address in subjectAltName',
  },
  {
    ...baseline,
    id: 'cabf-br-subject-alternative-name-kinds',
    citation: 'BR §7.1.2.7.12',
    description: 'A subjectAltName holds DNS names and addresses only.',
    check: ({ subjectAlternativeName }) => {
      const other = subjectAlternativeName?.find(
        ({ tag }) => tag !== generalNameTags.dNSName && tag !== generalNameTags.iPAddress,
      );
      return other === undefined ? undefined : `a name of kind [${other.tag & 0x1f}] in subjectAltName`;
    },
  },
  {
    ...baseline,
    id: 'cabf-br-subject-alternative-name-not-critical',
    citation: 'BR §7.1.2.7.12',
    effective: '2023-09-15',
    description: 'Beside a subject, subjectAltName is not critical.',
    check: (certificate) =>
      certificate.subject.attributes.length > 0 &&
      certificate.extension(extensionIds.subjectAlternativeName)?.isCritical === true
        ? 'subjectAltName is critical beside a subject'
        : undefined,
  },
  {
    ...baseline,
    id: 'cabf-br-dns-name-no-underscore',
    citation: 'BR §7.1.2.7.12 (LDH labels, RFC 5890 §2.3.1)',
    effective: '2019-04-01',
    description: 'A dNSName holds no underscore.',
    check: (certificate) =>
      judgeDnsNames(certificate, (name) =>
        name.includes('_') ? `dNSName ${quote(name)} holds an underscore` : undefined,
      ),
  },
  {
    ...baseline,
    id: 'cabf-br-dns-name-no-reserved-label',
    citation: 'BR §7.1.2.7.12',
    effective: '2021-10-01',
    description: 'A dNSName holds no reserved LDH label but A-labels.',
    check: (certificate) => judgeDnsNames(certificate, judgeReservedLabels),
  },
  {
    ...baseline,
    id: 'cabf-br-dns-name-wildcard',
    citation: 'BR §1.6.1 (Wildcard Domain Name), §3.2.2.6',
    description: 'An asterisk is the whole left-most label before a domain name that is more than a public suffix.',
    check: (certificate) => judgeDnsNames(certificate, judgeWildcard),
  },
  {
    ...baseline,
    id: 'cabf-br-dns-name-no-reverse-zone',
    citation: 'BR §4.2.2, §7.1.2.7.12',
    effective: '2026-03-15',
    description: 'A dNSName does not end in in-addr.arpa or ip6.arpa.',
    check: (certificate) =>
      judgeDnsNames(certificate, (name) =>
        isReverseZoneName(name) ? `dNSName ${quote(name)} is in a reverse zone` : undefined,
      ),
  },
  {
    ...baseline,
    id: 'cabf-br-dns-name-not-internal',
    citation: 'BR §7.1.2.7.12 (Internal Name)',
    effective: '2015-11-01',
    severity: 'notice',
    description: 'A dNSName is a name of the public DNS.',
    check: (certificate) =>
      judgeDnsNames(certificate, (name) =>
        isInternalName(withoutWildcard(name)) ? `dNSName ${quote(name)} is an internal name` : undefined,
      ),
  },
  {
    ...baseline,
    id: 'cabf-br-ip-address-not-reserved',
    citation: 'BR §7.1.2.7.12 (Reserved IP Address)',
    effective: '2015-11-01',
    severity: 'notice',
    description: 'An iPAddress is an address of the public Internet.',
    check: (certificate) =>
      judgeNamesOfKind(certificate, generalNameTags.iPAddress, (_, octets) =>
        isReservedAddress(octets) ? `iPAddress ${formatIpAddress(octets)} is reserved` : undefined,
      ),
  },
  {
    ...baseline,
    id: 'cabf-br-common-name-among-names',
    citation: 'BR §7.1.4.3',
    description: 'A commonName is one of the alternative names, character for character.',
    check: describeCommonName,
  },
  {
    ...baseline,
    id: 'cabf-br-common-name-not-recommended',
    citation: 'BR §7.1.2.7.2',
    effective: '2023-09-15',
    severity: 'notice',
    description: 'A commonName is not recommended.',
    check: ({ subject }) =>
      subject.attributes.some(({ type }) => type === attributeTypes.CN) ? 'the subject has a commonName' : undefined,
  },
  {
    ...baseline,
    id: 'cabf-br-single-valued-names',
    citation: 'BR §7.1.4.1',
    effective: '2023-09-15',
    description: 'A RelativeDistinguishedName has exactly one attribute.',
    check: ({ subject }) =>
      subject.attributes.length > subject.relativeDistinguishedNames.length
        ? 'a RelativeDistinguishedName of the subject has several attributes'
        : undefined,
  },
  {
    ...baseline,
    id: 'cabf-br-attributes-unique',
    citation: 'BR §7.1.4.1',
    effective: '2023-09-15',
    description: 'No attribute stands twice in the subject, domainComponent and streetAddress excepted.',
    check: ({ subject }) => describeRepeatedAttribute(subject),
  },
  {
    ...baseline,
    id: 'cabf-br-no-organizational-unit',
    citation: 'BR §7.1.2.7.2 to §7.1.2.7.4',
    effective: '2022-09-01',
    severity: 'notice',
    description: 'The subject has no organizationalUnitName.',
    check: ({ subject }) =>
      subject.attributes.some(({ type }) => type === attributeTypes.OU)
        ? 'the subject has an organizationalUnitName'
        : undefined,
  },
  {
    ...baseline,
    id: 'cabf-br-country-name-assigned',
    citation: 'BR §7.1.2.7.2 to §7.1.2.7.4 (ISO 3166-1)',
    description: 'countryName is an assigned code of ISO 3166-1 in capital letters, or XX.',
    check: ({ subject }) => {
      const country = subject.attributes.find(({ type }) => type === attributeTypes.C);
      if (country === undefined) return undefined;
      const code = country.value.text;
      return countryCodes.has(code) ? undefined : `countryName ${quote(code)} is not assigned`;
    },
  },
  {
    ...baseline,
    id: 'cabf-br-subject-not-only-metadata',
    citation: 'BR §7.1.2.7.2 to §7.1.2.7.5',
    description: 'No attribute of the subject is made of punctuation and spaces only.',
    check: ({ subject }) => {
      const empty = subject.attributes.find(({ value }) => /^[ .\-_*/?,;:]+$/.test(value.text));
      return empty === undefined ? undefined : `attribute ${empty.type} says nothing: ${quote(empty.value.text)}`;
    },
  },
];
