// Lints over algorithm identifiers: the parameters that each algorithm demands, for the signature and the subject's key.
import { algorithms } from '@gatehouse/pkix/object-identifiers';
import type { AlgorithmView } from '../key-view.ts';
import type { Lint } from '../lint.ts';

type Parameters = 'absent' | 'null' | 'present';

/** What the parameters field must hold, by signature algorithm. */
const signatureParameters: ReadonlyMap<string, Parameters> = new Map([
  [algorithms.sha256WithRSAEncryption, 'null'], // RFC 4055 §5
  [algorithms.sha384WithRSAEncryption, 'null'], // RFC 4055 §5
  [algorithms.sha512WithRSAEncryption, 'null'], // RFC 4055 §5
  [algorithms.sha1WithRSAEncryption, 'null'], // RFC 3279 §2.2.1
  [algorithms.rsassaPss, 'present'], // RFC 4055 §3.1: in a signature they are never left out
  [algorithms.ecdsaWithSHA1, 'absent'], // RFC 3279 §2.2.3
  [algorithms.ecdsaWithSHA256, 'absent'], // RFC 5758 §3.2
  [algorithms.ecdsaWithSHA384, 'absent'], // RFC 5758 §3.2
  [algorithms.ecdsaWithSHA512, 'absent'], // RFC 5758 §3.2
  [algorithms.ed25519, 'absent'], // RFC 8410 §3
  [algorithms.ed448, 'absent'], // RFC 8410 §3
  [algorithms.mlDsa44, 'absent'], // RFC 9881 §2
  [algorithms.mlDsa65, 'absent'], // RFC 9881 §2
  [algorithms.mlDsa87, 'absent'], // RFC 9881 §2
]);

/** What the parameters field must hold, by key algorithm. */
const keyParameters: ReadonlyMap<string, Parameters> = new Map([
  [algorithms.rsaEncryption, 'null'], // RFC 3279 §2.3.1
  [algorithms.ed25519, 'absent'], // RFC 8410 §3
  [algorithms.ed448, 'absent'], // RFC 8410 §3
  [algorithms.mlDsa44, 'absent'], // RFC 9881 §4
  [algorithms.mlDsa65, 'absent'], // RFC 9881 §4
  [algorithms.mlDsa87, 'absent'], // RFC 9881 §4
]);

function describeParameters(
  { algorithm, parameters }: AlgorithmView,
  table: ReadonlyMap<string, Parameters>,
): string | undefined {
  const isNull = parameters?.length === 2 && parameters[0] === 0x05;
  switch (table.get(algorithm)) {
    case 'absent':
      return parameters === undefined ? undefined : `algorithm ${algorithm} has parameters`;
    case 'null':
      return isNull ? undefined : `algorithm ${algorithm} has not NULL as parameters`;
    case 'present':
      return parameters === undefined || isNull ? `algorithm ${algorithm} lacks its parameters` : undefined;
    default:
      return undefined;
  }
}

const tagOfObjectIdentifier = 0x06;

/** Lints of RFC 5280 §4.1.1.2 and §4.1.2.7, and of the specifications of the algorithms. */
export const keyLints: readonly Lint[] = [
  {
    id: 'rfc5280-signature-parameters',
    source: 'rfc5280',
    citation: 'RFC 5280 §4.1.1.2 (RFC 4055 §5, RFC 5758 §3.2, RFC 8410 §3, RFC 9881 §2)',
    effective: '2008-05-01',
    severity: 'error',
    appliesTo: 'all',
    description: 'The signature algorithm has the parameters that its specification demands.',
    check: ({ signature }) => describeParameters(signature, signatureParameters),
  },
  {
    id: 'rfc5280-key-parameters',
    source: 'rfc5280',
    citation: 'RFC 5280 §4.1.2.7 (RFC 3279 §2.3.1, RFC 8410 §3, RFC 9881 §4)',
    effective: '2008-05-01',
    severity: 'error',
    appliesTo: 'all',
    description: "The subject's key algorithm has the parameters that its specification demands.",
    check: ({ key }) => describeParameters(key, keyParameters),
  },
  {
    id: 'rfc5480-named-curve',
    source: 'rfc5280',
    citation: 'RFC 5480 §2.1.1',
    effective: '2009-03-01',
    severity: 'error',
    appliesTo: 'all',
    description: 'An elliptic curve is given by its name, not by its coefficients and not implicitly.',
    check: ({ key }) =>
      key.algorithm === algorithms.ecPublicKey && key.parameters?.[0] !== tagOfObjectIdentifier
        ? 'the parameters of the key are not a namedCurve'
        : undefined,
  },
  {
    id: 'rfc5480-point-form',
    source: 'rfc5280',
    citation: 'RFC 5480 §2.2',
    effective: '2009-03-01',
    severity: 'error',
    appliesTo: 'all',
    description: 'An elliptic-curve point is uncompressed or compressed, never hybrid and never the point at infinity.',
    check: ({ key }) => {
      const form = key.octets[0] ?? 0;
      const isAllowed = form === 0x04 || form === 0x02 || form === 0x03;
      return key.algorithm !== algorithms.ecPublicKey || isAllowed
        ? undefined
        : `the point starts with octet ${form.toString(16).padStart(2, '0')}`;
    },
  },
  {
    id: 'rfc3279-rsa-integers-positive',
    source: 'rfc5280',
    citation: 'RFC 3279 §2.3.1 (RFC 8017 appendix A.1.1)',
    effective: '2008-05-01',
    severity: 'error',
    appliesTo: 'all',
    description: 'Modulus and exponent of an RSA key are positive.',
    check: ({ key: { rsa } }) => {
      if (rsa === undefined) return undefined;
      if ((rsa.modulus[0] ?? 0) >= 0x80) return 'the modulus is negative';
      return (rsa.exponent[0] ?? 0) >= 0x80 ? 'the exponent is negative' : undefined;
    },
  },
];
