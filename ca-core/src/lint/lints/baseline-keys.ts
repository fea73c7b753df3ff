// Lints of the CA/Browser Forum's TLS Baseline Requirements over serial number, validity period, key and signature:
// §6.1.5, §6.1.6, §6.3.2, §7.1.2.7 and §7.1.3. Sections are those of version 2.2.
import { objectIdentifier } from '@gatehouse/pkix/der/writer';
import { algorithms } from '@gatehouse/pkix/object-identifiers';
import { bitLength } from '../key-view.ts';
import type { Lint } from '../lint.ts';

const baseline = { source: 'cabf-br', effective: '2012-07-01', severity: 'error', appliesTo: 'end-entity' } as const;

const dayMs = 86_400_000;

/** Longest validity periods, BR §6.3.2 (ballot SC-081v3 from 2026 on). Each holds from its day; the shorter ones later. */
const validityPeriods = [
  { days: 398, effective: '2020-09-01' },
  { days: 200, effective: '2026-03-15' },
  { days: 100, effective: '2027-03-15' },
  { days: 47, effective: '2029-03-15' },
] as const;

function validityLint({ days, effective }: (typeof validityPeriods)[number]): Lint {
  return {
    ...baseline,
    id: `cabf-br-validity-${days}-days`,
    citation: 'BR §6.3.2',
    effective,
    description: `The validity period of a certificate from ${effective} on is at most ${days} days.`,
    check: ({ notBeforeMs, notAfterMs }) => {
      // RFC 5280 §4.1.2.5: the period includes both ends, so that its last second counts.
      const periodMs = notAfterMs - notBeforeMs + 1000;
      return periodMs > days * dayMs ? `valid for ${(periodMs / dayMs).toFixed(2)} days` : undefined;
    },
  };
}

const rsassaPss = (digest: string, saltLength: string): Uint8Array =>
  Buffer.from(
    `3034a00f300d0609608648016503040${digest}0500a11c301a06092a864886f70d010108300d0609608648016503040${digest}0500a2030201${saltLength}`,
    'hex',
  );

/** Parameters of RSASSA-PSS, octet for octet. BR §7.1.3.2.1. */
const pssParameters: readonly Uint8Array[] = [
  rsassaPss('201', '20'), // SHA-256
  rsassaPss('202', '30'), // SHA-384
  rsassaPss('203', '40'), // SHA-512
];

/** Signature algorithms beside RSASSA-PSS; their parameters are fixed by another lint. BR §7.1.3.2. */
const signatureAlgorithms: ReadonlySet<string> = new Set([
  algorithms.sha256WithRSAEncryption, // §7.1.3.2.1
  algorithms.sha384WithRSAEncryption, // §7.1.3.2.1
  algorithms.sha512WithRSAEncryption, // §7.1.3.2.1
  algorithms.ecdsaWithSHA256, // §7.1.3.2.2
  algorithms.ecdsaWithSHA384, // §7.1.3.2.2
  algorithms.ecdsaWithSHA512, // §7.1.3.2.2
]);

/** Curves by the DER of their namedCurve, BR §7.1.3.1.2. */
const namedCurves = [algorithms.secp256r1, algorithms.secp384r1, algorithms.secp521r1].map(objectIdentifier);

function isAmong(bytes: Uint8Array | undefined, table: readonly Uint8Array[]): boolean {
  return bytes !== undefined && table.some((one) => Buffer.compare(one, bytes) === 0);
}

const brokenDigests: ReadonlySet<string> = new Set([
  algorithms.md5WithRSAEncryption,
  algorithms.sha1WithRSAEncryption,
  algorithms.ecdsaWithSHA1,
]);

/** Lints of BR §6.1.5, §6.1.6, §6.3.2, §7.1.2.7 and §7.1.3. */
export const baselineKeyLints: readonly Lint[] = [
  {
    ...baseline,
    id: 'cabf-br-serial-number-entropy',
    citation: 'BR §7.1.2.7',
    effective: '2016-09-30',
    description: 'A serial number can hold 64 random bits: it has at least 8 octets.',
    check: ({ serialNumber }) =>
      serialNumber.length < 8 ? `the serial number has ${serialNumber.length} octets` : undefined,
  },
  {
    ...baseline,
    id: 'cabf-br-serial-number-below-2-159',
    citation: 'BR §7.1.2.7',
    effective: '2023-09-15',
    description: 'A serial number is less than 2 to the 159th.',
    check: ({ serialNumber }) => (bitLength(serialNumber) > 159 ? 'the serial number is 2^159 or more' : undefined),
  },
  ...validityPeriods.map(validityLint),
  {
    ...baseline,
    id: 'cabf-br-rsa-modulus-size',
    citation: 'BR §6.1.5',
    effective: '2014-01-01',
    appliesTo: 'all',
    description: 'An RSA modulus has at least 2048 bits.',
    check: ({ key: { rsa } }) =>
      rsa !== undefined && bitLength(rsa.modulus) < 2048 ? `the modulus has ${bitLength(rsa.modulus)} bits` : undefined,
  },
  {
    ...baseline,
    id: 'cabf-br-rsa-modulus-divisible-by-8',
    citation: 'BR §6.1.5',
    effective: '2020-10-01',
    appliesTo: 'all',
    description: 'The bits of an RSA modulus are divisible by 8.',
    check: ({ key: { rsa } }) =>
      rsa !== undefined && bitLength(rsa.modulus) % 8 !== 0
        ? `the modulus has ${bitLength(rsa.modulus)} bits`
        : undefined,
  },
  {
    ...baseline,
    id: 'cabf-br-rsa-modulus-odd',
    citation: 'BR §6.1.6',
    effective: '2013-01-01',
    severity: 'warning',
    appliesTo: 'all',
    description: 'An RSA modulus should be odd.',
    check: ({ key: { rsa } }) =>
      rsa !== undefined && ((rsa.modulus[rsa.modulus.length - 1] ?? 0) & 1) === 0 ? 'the modulus is even' : undefined,
  },
  {
    ...baseline,
    id: 'cabf-br-rsa-exponent-odd',
    citation: 'BR §6.1.6',
    effective: '2013-01-01',
    appliesTo: 'all',
    description: 'An RSA exponent is odd and 3 or more.',
    check: ({ key: { rsa } }) => {
      if (rsa === undefined) return undefined;
      const isOdd = ((rsa.exponent[rsa.exponent.length - 1] ?? 0) & 1) === 1;
      return isOdd && bitLength(rsa.exponent) >= 2 ? undefined : 'the exponent is even or 1';
    },
  },
  {
    ...baseline,
    id: 'cabf-br-rsa-exponent-range',
    citation: 'BR §6.1.6',
    effective: '2013-01-01',
    severity: 'warning',
    appliesTo: 'all',
    description: 'An RSA exponent should be between 2^16 + 1 and 2^256 - 1.',
    check: ({ key: { rsa } }) => {
      if (rsa === undefined) return undefined;
      const bits = bitLength(rsa.exponent);
      // 2^16 itself has 17 bits and is even, which is the lint before.
      return bits < 17 || bits > 256 ? `the exponent has ${bits} bits` : undefined;
    },
  },
  {
    ...baseline,
    id: 'cabf-br-named-curve',
    citation: 'BR §6.1.5, §7.1.3.1.2',
    appliesTo: 'all',
    description: 'The curve of an elliptic-curve key is P-256, P-384 or P-521.',
    check: ({ key }) =>
      key.algorithm === algorithms.ecPublicKey && !isAmong(key.parameters, namedCurves)
        ? 'the curve is none of P-256, P-384, P-521'
        : undefined,
  },
  {
    ...baseline,
    id: 'cabf-br-key-algorithm',
    citation: 'BR §7.1.3.1',
    effective: '2020-10-01',
    severity: 'notice',
    appliesTo: 'all',
    description: 'The key is an RSA or an elliptic-curve key.',
    check: ({ key }) =>
      key.algorithm === algorithms.rsaEncryption || key.algorithm === algorithms.ecPublicKey
        ? undefined
        : `keys of algorithm ${key.algorithm} are not for public TLS`,
  },
  {
    ...baseline,
    id: 'cabf-br-signature-digest',
    citation: 'BR §7.1.3.2.1',
    effective: '2016-01-01',
    appliesTo: 'all',
    description: 'The certificate is not signed with SHA-1 or MD5.',
    check: ({ signature: { algorithm } }) =>
      brokenDigests.has(algorithm) ? `signature algorithm ${algorithm}` : undefined,
  },
  {
    ...baseline,
    id: 'cabf-br-signature-algorithm',
    citation: 'BR §7.1.3.2',
    effective: '2020-10-01',
    severity: 'notice',
    appliesTo: 'all',
    description: 'The signature algorithm is RSASSA-PKCS1-v1_5, RSASSA-PSS or ECDSA, as the document prints them.',
    check: ({ signature: { algorithm, parameters } }) =>
      signatureAlgorithms.has(algorithm) || (algorithm === algorithms.rsassaPss && isAmong(parameters, pssParameters))
        ? undefined
        : `signature algorithm ${algorithm} is not for public TLS`,
  },
];
