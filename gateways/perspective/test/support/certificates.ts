// Certificates of tests: self-signed ones for challenges, right and wrong in one respect each.

import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { bitString, explicit, integer, octetString, sequence, time } from '@gatehouse/pkix/der/writer';
import { type Extension, subjectAlternativeName, writeExtensions } from '@gatehouse/pkix/extensions';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import { parseName, writeName } from '@gatehouse/pkix/names';
import { signatureAlgorithmFor } from '@gatehouse/pkix/signature-algorithms';

/** A certificate and its key, as a server takes them. */
export type ServerIdentity = { readonly der: Uint8Array; readonly cert: string; readonly key: KeyObject };

/** What a certificate is made of. */
export type CertificateShape = {
  readonly extensions?: readonly Extension[];
  readonly issuer?: string;
  /** Signs instead of the subject's own key. */
  readonly signer?: KeyObject;
};

/** id-pe-acmeIdentifier, RFC 8737 §6.1. */
const acmeIdentifierId = '1.3.6.1.5.5.7.1.31';

/** A new P-256 key. */
export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** Makes a certificate, self-signed unless told otherwise. */
export function makeCertificate({
  extensions = [],
  issuer = 'CN=challenge',
  signer,
}: CertificateShape = {}): ServerIdentity {
  const key = newKey();
  const { identifier, sign } = signatureAlgorithmFor(signer ?? key);
  const tbs = sequence(
    explicit(0, integer(2)),
    integer(1),
    identifier,
    writeName(parseName(issuer)),
    sequence(time(new Date('2026-01-01T00:00:00Z')), time(new Date('2027-01-01T00:00:00Z'))),
    writeName(parseName('CN=challenge')),
    createPublicKey(key).export({ format: 'der', type: 'spki' }),
    ...(extensions.length === 0 ? [] : [explicit(3, writeExtensions(extensions))]),
  );
  const der = sequence(tbs, identifier, bitString(sign(tbs)));
  const text =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return { der, key, cert: `-----BEGIN CERTIFICATE-----\n${text.join('\n')}\n-----END CERTIFICATE-----\n` };
}

/** acmeIdentifier with a digest, RFC 8737 §3. */
export function acmeIdentifier(digest: Uint8Array, isCritical = true): Extension {
  return { id: acmeIdentifierId, isCritical, value: octetString(digest) };
}

/** acmeIdentifier with a value of the test's own. */
export function acmeIdentifierValue(value: Uint8Array): Extension {
  return { id: acmeIdentifierId, isCritical: true, value };
}

/** subjectAltName. */
export function alternativeNames(...names: readonly GeneralName[]): Extension {
  return subjectAlternativeName(names);
}
