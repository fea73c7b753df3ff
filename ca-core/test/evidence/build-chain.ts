// Certificates of a manufacturer and its devices, made with the package's own writers and truly signed.
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { bitString, explicit, integer, sequence, time } from '@gatehouse/pkix/der/writer';
import {
  authorityKeyIdentifier,
  basicConstraints,
  type Extension,
  keyIdentifier,
  keyUsage,
  subjectKeyIdentifier,
  writeExtensions,
} from '@gatehouse/pkix/extensions';
import { parseName, writeName } from '@gatehouse/pkix/names';
import { signatureAlgorithmFor } from '@gatehouse/pkix/signature-algorithms';

/** The instant at which everything made here is valid. */
export const now = new Date('2026-06-01T12:00:00Z');

/** A certificate and the private key of its subject. */
export type Identity = { readonly certificate: Certificate; readonly key: KeyObject };

let serialNumber = 1;

/** Makes a certificate, self-signed without an issuer. */
export function issue(
  subject: string,
  issuer?: Identity,
  extensions: readonly Extension[] = [],
  notAfter = new Date('2036-01-01T00:00:00Z'),
): Identity {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const subjectPublicKeyInfo = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const subjectDer = writeName(parseName(subject));
  const { identifier, sign } = signatureAlgorithmFor(issuer?.key ?? key);
  const tbs = sequence(
    explicit(0, integer(2)),
    integer(serialNumber++),
    identifier,
    issuer?.certificate.subjectDer ?? subjectDer,
    sequence(time(new Date('2026-01-01T00:00:00Z')), time(notAfter)),
    subjectDer,
    subjectPublicKeyInfo,
    explicit(
      3,
      writeExtensions([
        subjectKeyIdentifier(subjectPublicKeyInfo),
        authorityKeyIdentifier(keyIdentifier(issuer?.certificate.subjectPublicKeyInfo ?? subjectPublicKeyInfo)),
        ...extensions,
      ]),
    ),
  );
  return { key, certificate: readCertificate(sequence(tbs, identifier, bitString(sign(tbs)))) };
}

/** Extensions of a CA certificate. */
export const authorityExtensions: readonly Extension[] = [
  basicConstraints({ ca: true }),
  keyUsage(['keyCertSign', 'cRLSign']),
];
