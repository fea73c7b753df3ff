// Lints over where status, issuers and policies are found: authorityInfoAccess, cRLDistributionPoints and
// certificatePolicies, RFC 5280 §4.2.1.4, §4.2.1.13 and §4.2.2.1.
import type { EncodedValue } from '../encoded-value.ts';
import type { Lint } from '../lint.ts';
import { quote } from '../quote.ts';
import { generalNameTags } from './subject-alternative-names.ts';

const rfc5280 = { source: 'rfc5280', effective: '2008-05-01', severity: 'error', appliesTo: 'all' } as const;

/** Why a location is no absolute URI of a scheme that RFC 5280 names for it, or undefined. */
function judgeLocation({ tag, text }: EncodedValue): string | undefined {
  // RFC 5280 §4.2.1.13: a directoryName is a place in a directory.
  if (tag === generalNameTags.directoryName) return undefined;
  if (tag !== generalNameTags.uniformResourceIdentifier) return `a location has tag ${tag.toString(16)}`;
  return /^(?:https?|ldaps?|ftp):\/\/[!-~]+$/i.test(text)
    ? undefined
    : `location ${quote(text)} is not an absolute URL`;
}

/** The first complaint over the locations of some holders. */
function judgeAll<Holder>(
  holders: readonly Holder[] | undefined,
  locationsOf: (holder: Holder) => readonly EncodedValue[],
): string | undefined {
  for (const holder of holders ?? []) {
    for (const location of locationsOf(holder)) {
      const complaint = judgeLocation(location);
      if (complaint !== undefined) return complaint;
    }
  }
  return undefined;
}

/** Lints of RFC 5280 §4.2.1.4, §4.2.1.13 and §4.2.2.1. */
export const locationLints: readonly Lint[] = [
  {
    ...rfc5280,
    id: 'rfc5280-certificate-policies-not-empty',
    citation: 'RFC 5280 §4.2.1.4 (SIZE (1..MAX))',
    description: 'certificatePolicies names at least one policy.',
    check: ({ certificatePolicies }) =>
      certificatePolicies?.length === 0 ? 'certificatePolicies is empty' : undefined,
  },
  {
    ...rfc5280,
    id: 'rfc5280-certificate-policies-unique',
    citation: 'RFC 5280 §4.2.1.4',
    description: 'No policy stands twice in certificatePolicies.',
    check: ({ certificatePolicies }) => {
      const twice = certificatePolicies?.find((policy, i) => certificatePolicies.indexOf(policy) !== i);
      return twice === undefined ? undefined : `policy ${twice} stands twice`;
    },
  },
  {
    ...rfc5280,
    id: 'rfc5280-authority-information-access-not-empty',
    citation: 'RFC 5280 §4.2.2.1 (SIZE (1..MAX))',
    description: 'authorityInfoAccess holds at least one access description.',
    check: ({ authorityInformationAccess }) =>
      authorityInformationAccess?.length === 0 ? 'authorityInfoAccess is empty' : undefined,
  },
  {
    ...rfc5280,
    id: 'rfc5280-authority-information-access-location',
    citation: 'RFC 5280 §4.2.2.1',
    description: 'Access locations are absolute URLs.',
    check: ({ authorityInformationAccess }) => judgeAll(authorityInformationAccess, ({ location }) => [location]),
  },
  {
    ...rfc5280,
    id: 'rfc5280-crl-distribution-points-not-empty',
    citation: 'RFC 5280 §4.2.1.13 (SIZE (1..MAX))',
    description: 'cRLDistributionPoints holds at least one distribution point.',
    check: ({ crlDistributionPoints }) =>
      crlDistributionPoints?.length === 0 ? 'cRLDistributionPoints is empty' : undefined,
  },
  {
    ...rfc5280,
    id: 'rfc5280-distribution-point-has-name',
    citation: 'RFC 5280 §4.2.1.13',
    description: 'A distribution point is more than a list of reasons.',
    check: ({ crlDistributionPoints }) =>
      crlDistributionPoints?.some(
        ({ names, isRelative, hasIssuer }) => (names?.length ?? 0) === 0 && !isRelative && !hasIssuer,
      ) === true
        ? 'a distribution point has neither name nor issuer'
        : undefined,
  },
  {
    ...rfc5280,
    id: 'rfc5280-distribution-point-location',
    citation: 'RFC 5280 §4.2.1.13',
    description: 'The names of distribution points are absolute URLs or directory names.',
    check: ({ crlDistributionPoints }) => judgeAll(crlDistributionPoints, ({ names }) => names ?? []),
  },
];
