// Lints over what a certificate allows its key to do: basicConstraints, keyUsage, nameConstraints and policy extensions,
// RFC 5280 §4.2.1.3, §4.2.1.9 to §4.2.1.11, and the key usages that each key algorithm can have.
import { algorithms, extensionIds } from '@gatehouse/pkix/object-identifiers';
import type { Lint } from '../lint.ts';

const rfc5280 = { source: 'rfc5280', effective: '2008-05-01', severity: 'error', appliesTo: 'all' } as const;

/** Bits of KeyUsage, RFC 5280 §4.2.1.3. */
export const keyUsageBits = {
  digitalSignature: 0,
  nonRepudiation: 1,
  keyEncipherment: 2,
  dataEncipherment: 3,
  keyAgreement: 4,
  keyCertSign: 5,
  cRLSign: 6,
  encipherOnly: 7,
  decipherOnly: 8,
} as const;

type KeyUsageName = keyof typeof keyUsageBits;

const signatureOnly: readonly KeyUsageName[] = [
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'encipherOnly',
  'decipherOnly',
];

/** Usages that a key of an algorithm must not be given. */
const impossibleUsages: ReadonlyMap<string, readonly KeyUsageName[]> = new Map<string, readonly KeyUsageName[]>([
  [algorithms.rsaEncryption, ['keyAgreement', 'encipherOnly', 'decipherOnly']], // RFC 3279 §2.3.1
  [algorithms.ecPublicKey, ['keyEncipherment', 'dataEncipherment']], // RFC 8813 §3 (updates RFC 5480 §3)
  [algorithms.ed25519, signatureOnly], // RFC 8410 §5 and RFC 9295 §3
  [algorithms.ed448, signatureOnly], // RFC 8410 §5 and RFC 9295 §3
  [algorithms.mlDsa44, signatureOnly], // RFC 9881 §5
  [algorithms.mlDsa65, signatureOnly], // RFC 9881 §5
  [algorithms.mlDsa87, signatureOnly], // RFC 9881 §5
]);

/** Lints of RFC 5280 §4.2.1.3, §4.2.1.5, §4.2.1.9 to §4.2.1.11 and §4.2.1.14. */
export const constraintLints: readonly Lint[] = [
  {
    ...rfc5280,
    id: 'rfc5280-ca-basic-constraints-critical',
    citation: 'RFC 5280 §4.2.1.9',
    appliesTo: 'ca',
    description: 'basicConstraints is critical in a CA certificate.',
    check: (certificate) =>
      certificate.extension(extensionIds.basicConstraints)?.isCritical === true
        ? undefined
        : 'basicConstraints is not critical',
  },
  {
    ...rfc5280,
    id: 'rfc5280-path-length-only-in-ca',
    citation: 'RFC 5280 §4.2.1.9',
    appliesTo: 'end-entity',
    description: 'pathLenConstraint stands only beside cA TRUE.',
    check: ({ basicConstraints }) =>
      basicConstraints?.pathLength === undefined ? undefined : 'pathLenConstraint without cA',
  },
  {
    ...rfc5280,
    id: 'rfc5280-path-length-needs-key-cert-sign',
    citation: 'RFC 5280 §4.2.1.9',
    appliesTo: 'ca',
    description: 'pathLenConstraint stands only beside keyCertSign.',
    check: (certificate) =>
      certificate.basicConstraints?.pathLength !== undefined && !certificate.hasKeyUsage(keyUsageBits.keyCertSign)
        ? 'pathLenConstraint without keyCertSign'
        : undefined,
  },
  {
    ...rfc5280,
    id: 'rfc5280-path-length-not-negative',
    citation: 'RFC 5280 §4.2.1.9 (INTEGER (0..MAX))',
    description: 'pathLenConstraint is not negative.',
    check: ({ basicConstraints }) =>
      (basicConstraints?.pathLength ?? 0) < 0 ? `pathLenConstraint is ${basicConstraints?.pathLength}` : undefined,
  },
  {
    ...rfc5280,
    id: 'rfc5280-ca-key-usage-present',
    citation: 'RFC 5280 §4.2.1.3, §4.2.1.9',
    appliesTo: 'ca',
    description: 'A CA certificate has a key usage with keyCertSign or cRLSign.',
    check: (certificate) => {
      if (certificate.keyUsage === undefined) return 'no keyUsage in a CA certificate';
      const signs = certificate.hasKeyUsage(keyUsageBits.keyCertSign) || certificate.hasKeyUsage(keyUsageBits.cRLSign);
      return signs ? undefined : 'neither keyCertSign nor cRLSign in a CA certificate';
    },
  },
  {
    ...rfc5280,
    id: 'rfc5280-key-cert-sign-only-in-ca',
    citation: 'RFC 5280 §4.2.1.3, §4.2.1.9',
    appliesTo: 'end-entity',
    description: 'keyCertSign stands only in a CA certificate.',
    check: (certificate) => (certificate.hasKeyUsage(keyUsageBits.keyCertSign) ? 'keyCertSign without cA' : undefined),
  },
  {
    ...rfc5280,
    id: 'rfc5280-key-usage-not-empty',
    citation: 'RFC 5280 §4.2.1.3',
    description: 'A key usage has at least one bit set.',
    check: ({ keyUsage }) =>
      keyUsage?.bytes.every((octet) => octet === 0) === true ? 'keyUsage has no bit set' : undefined,
  },
  {
    ...rfc5280,
    id: 'rfc5280-key-usage-minimal',
    citation: 'X.690 §11.2.2 (RFC 5280 §4.2.1.3)',
    description: 'A key usage has no trailing zero bits and no bits beyond decipherOnly.',
    check: ({ keyUsage }) => {
      if (keyUsage === undefined || keyUsage.bytes.length === 0) return undefined;
      const { bytes, unusedBits } = keyUsage;
      if (bytes.length * 8 - unusedBits > 9) return 'keyUsage has more than nine bits';
      const lastBit = (bytes[bytes.length - 1] ?? 0) & (1 << unusedBits);
      return lastBit === 0 ? 'keyUsage has trailing zero bits' : undefined;
    },
  },
  {
    ...rfc5280,
    id: 'rfc5280-encipher-only-needs-key-agreement',
    citation: 'RFC 5280 §4.2.1.3',
    severity: 'warning',
    description: 'encipherOnly and decipherOnly mean something only beside keyAgreement, and exclude each other.',
    check: (certificate) => {
      const encipherOnly = certificate.hasKeyUsage(keyUsageBits.encipherOnly);
      const decipherOnly = certificate.hasKeyUsage(keyUsageBits.decipherOnly);
      if (!encipherOnly && !decipherOnly) return undefined;
      if (encipherOnly && decipherOnly) return 'encipherOnly and decipherOnly together';
      return certificate.hasKeyUsage(keyUsageBits.keyAgreement)
        ? undefined
        : 'encipherOnly or decipherOnly without keyAgreement';
    },
  },
  {
    ...rfc5280,
    id: 'rfc5280-key-usage-fits-key',
    citation: 'RFC 5280 §4.2.1.3 (RFC 3279 §2.3.1, RFC 8813 §3, RFC 9295 §3, RFC 9881 §5)',
    description: 'The key usage is possible with the algorithm of the key.',
    check: (certificate) => {
      if (certificate.keyUsage === undefined) return undefined;
      const { algorithm } = certificate.key;
      const wrong = impossibleUsages.get(algorithm)?.find((usage) => certificate.hasKeyUsage(keyUsageBits[usage]));
      return wrong === undefined ? undefined : `${wrong} with a key of algorithm ${algorithm}`;
    },
  },
  {
    ...rfc5280,
    id: 'rfc5280-name-constraints-only-in-ca',
    citation: 'RFC 5280 §4.2.1.10',
    appliesTo: 'end-entity',
    description: 'nameConstraints stands only in a CA certificate.',
    check: (certificate) =>
      certificate.extension(extensionIds.nameConstraints) === undefined ? undefined : 'nameConstraints without cA',
  },
  {
    ...rfc5280,
    id: 'rfc5280-name-constraints-not-empty',
    citation: 'RFC 5280 §4.2.1.10',
    description: 'nameConstraints permits or excludes something.',
    check: ({ nameConstraints }) =>
      nameConstraints !== undefined && nameConstraints.permitted + nameConstraints.excluded === 0
        ? 'nameConstraints is empty'
        : undefined,
  },
  {
    ...rfc5280,
    id: 'rfc5280-policy-extensions-only-in-ca',
    citation: 'RFC 5280 §4.2.1.5, §4.2.1.11, §4.2.1.14',
    severity: 'warning',
    appliesTo: 'end-entity',
    description: 'policyMappings, policyConstraints and inhibitAnyPolicy are for certificates of CAs.',
    check: (certificate) => {
      const ids = [extensionIds.policyMappings, extensionIds.policyConstraints, extensionIds.inhibitAnyPolicy];
      const present = ids.find((id) => certificate.extension(id) !== undefined);
      return present === undefined ? undefined : `extension ${present} without cA`;
    },
  },
];
