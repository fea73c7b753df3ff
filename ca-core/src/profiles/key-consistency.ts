/** Rules for keys, what they may be used for, and what a request may bring along. */
import { extensionIds, keyPurposes } from '@gatehouse/pkix/object-identifiers';
import type { ConsistencyRule } from './consistency.ts';
import type { KeyUsageName } from './vocabulary.ts';

/** Key usages that only keys of these kinds can serve. */
const keyKindsOfUsage: Partial<Record<KeyUsageName, { readonly kinds: readonly string[]; readonly section: string }>> =
  {
    keyEncipherment: { kinds: ['rsa'], section: 'RFC 5480 §3, RFC 8410 §5, RFC 9881 §5' },
    dataEncipherment: { kinds: ['rsa'], section: 'RFC 5480 §3, RFC 8410 §5, RFC 9881 §5' },
    keyAgreement: { kinds: ['ec'], section: 'RFC 3279 §2.3.1, RFC 8410 §5, RFC 9881 §5' },
  };

/** Extensions that profile, authority and key decide; copying one would hand the decision to the requester. */
const decidedByTheCa: ReadonlySet<string> = new Set([
  extensionIds.subjectKeyIdentifier,
  extensionIds.keyUsage,
  extensionIds.subjectAlternativeName,
  extensionIds.issuerAlternativeName,
  extensionIds.basicConstraints,
  extensionIds.nameConstraints,
  extensionIds.crlDistributionPoints,
  extensionIds.certificatePolicies,
  extensionIds.policyMappings,
  extensionIds.authorityKeyIdentifier,
  extensionIds.policyConstraints,
  extensionIds.extendedKeyUsage,
  extensionIds.freshestCrl,
  extensionIds.inhibitAnyPolicy,
  extensionIds.noRevAvail,
  extensionIds.authorityInformationAccess,
  extensionIds.signedCertificateTimestamps,
  extensionIds.precertificatePoison,
]);

export const keyRules: readonly ConsistencyRule[] = [
  function* kindsListedOnce({ keys }) {
    const seen = new Set<string>();
    for (const [index, { kind }] of keys.entries()) {
      if (seen.has(kind)) yield { path: ['keys', index, 'kind'], message: 'is listed twice; join the two' };
      seen.add(kind);
    }
  },
  function* rsaBitsInOrder({ keys }) {
    for (const [index, key] of keys.entries()) {
      if (key.kind === 'rsa' && key.minimumBits > key.maximumBits) {
        yield { path: ['keys', index, 'minimumBits'], message: 'is more than maximumBits' };
      }
    }
  },
  function* usageFitsKeys({ keys, keyUsage, rsaKeyUsage }) {
    if (rsaKeyUsage.length > 0 && !keys.some((key) => key.kind === 'rsa')) {
      yield { path: ['rsaKeyUsage'], message: 'is set, but RSA keys are not accepted' };
    }
    for (const [index, usage] of keyUsage.entries()) {
      const rule = keyKindsOfUsage[usage];
      const misfit = rule && keys.find((key) => !rule.kinds.includes(key.kind));
      if (rule === undefined || misfit === undefined) continue;
      const advice = rule.kinds.includes('rsa') ? '; put it under rsaKeyUsage' : '';
      yield {
        path: ['keyUsage', index],
        message: `keys of kind ${misfit.kind} cannot serve it (${rule.section})${advice}`,
      };
    }
    for (const [index, usage] of rsaKeyUsage.entries()) {
      if (usage === 'keyAgreement') {
        yield { path: ['rsaKeyUsage', index], message: 'RSA keys cannot serve it (RFC 3279 §2.3.1)' };
      }
    }
  },
  function* halvesOfKeyAgreement({ keyUsage }) {
    // RFC 5280 §4.2.1.3: without keyAgreement these two bits mean nothing.
    for (const half of ['encipherOnly', 'decipherOnly'] as const) {
      if (keyUsage.includes(half) && !keyUsage.includes('keyAgreement')) {
        yield {
          path: ['keyUsage', keyUsage.indexOf(half)],
          message: 'means nothing without keyAgreement (RFC 5280 §4.2.1.3)',
        };
      }
    }
  },
];

export const purposeRules: readonly ConsistencyRule[] = [
  function* authoritiesSignCertificates({ basicConstraints, keyUsage, rsaKeyUsage, acceptsStatedPossession }) {
    const signs = keyUsage.includes('keyCertSign');
    // RFC 5280 §4.2.1.9: cA and keyCertSign come together or not at all.
    if (basicConstraints.isCa && !signs) {
      yield { path: ['keyUsage'], message: 'a CA needs keyCertSign (RFC 5280 §4.2.1.3)' };
    }
    if (!basicConstraints.isCa && (signs || rsaKeyUsage.includes('keyCertSign'))) {
      yield { path: ['basicConstraints', 'isCa'], message: 'must be true for keyCertSign (RFC 5280 §4.2.1.9)' };
    }
    if (!basicConstraints.isCa && basicConstraints.pathLength !== undefined) {
      yield { path: ['basicConstraints', 'pathLength'], message: 'is for a CA only (RFC 5280 §4.2.1.9)' };
    }
    if (basicConstraints.isCa && acceptsStatedPossession) {
      yield { path: ['acceptsStatedPossession'], message: 'must be false: a CA proves that it holds its key' };
    }
  },
  function* respondersSign({ extendedKeyUsage, keyUsage }) {
    // RFC 6960 §4.2.2.2: responses are signed with this very key.
    if (extendedKeyUsage.includes(keyPurposes.OCSPSigning) && !keyUsage.includes('digitalSignature')) {
      yield { path: ['keyUsage'], message: 'OCSPSigning needs digitalSignature' };
    }
  },
  function* anyPurposeStandsAlone({ extendedKeyUsage }) {
    if (extendedKeyUsage.length > 1 && extendedKeyUsage.includes(keyPurposes.anyExtendedKeyUsage)) {
      yield {
        path: ['extendedKeyUsage', extendedKeyUsage.indexOf(keyPurposes.anyExtendedKeyUsage)],
        message: 'makes the other purposes meaningless; leave one or the other',
      };
    }
  },
  function* copiedExtensionsAreTheRequesters({ requestExtensions }) {
    for (const [index, id] of requestExtensions.copy.entries()) {
      if (decidedByTheCa.has(id)) {
        yield { path: ['requestExtensions', 'copy', index], message: 'is decided by the profile and cannot be copied' };
      }
    }
  },
];
