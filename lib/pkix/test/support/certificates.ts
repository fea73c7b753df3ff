// Builds certificates for tests out of the package's own writers. It signs whatever it is told to, right or wrong.
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type Certificate, readCertificate } from '../../src/certificate.ts';
import { bitString, explicit, integer, sequence, time } from '../../src/der/writer.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  type Extension,
  keyIdentifier,
  keyUsage,
  subjectKeyIdentifier,
  writeExtensions,
} from '../../src/extensions.ts';
import { parseName, writeName } from '../../src/names.ts';
import { signatureAlgorithmFor } from '../../src/signature-algorithms.ts';

/** A certificate and the private key of its subject. */
export type Identity = { readonly certificate: Certificate; readonly key: KeyObject };

/** What a certificate is made of; all has a default that makes a valid one. */
export type CertificateShape = {
  readonly subject?: string;
  readonly issuer?: Identity;
  readonly key?: KeyObject;
  readonly serialNumber?: number | bigint;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly extensions?: readonly Extension[];
  readonly version?: 1 | 3;
};

/** The instant at which everything made here is valid by default. */
export const now = new Date('2026-06-01T12:00:00Z');

let serial = 1000;

/** A new P-256 private key. */
export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** SubjectPublicKeyInfo of a private or public key. */
export function spkiOf(key: KeyObject): Uint8Array {
  return (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'der', type: 'spki' });
}

/** Makes a certificate; without an issuer it is self-signed. */
export function makeCertificate(shape: CertificateShape = {}): Identity {
  const key = shape.key ?? newKey();
  const spki = spkiOf(key);
  const subject = writeName(parseName(shape.subject ?? 'CN=subject'));
  const { identifier, sign } = signatureAlgorithmFor(shape.issuer?.key ?? key);
  const issuerSpki = shape.issuer?.certificate.subjectPublicKeyInfo ?? spki;
  const extensions = [
    subjectKeyIdentifier(spki),
    authorityKeyIdentifier(keyIdentifier(issuerSpki)),
    ...(shape.extensions ?? []),
  ];
  const tbs = sequence(
    ...(shape.version === 1 ? [] : [explicit(0, integer(2))]),
    integer(shape.serialNumber ?? serial++),
    identifier,
    shape.issuer?.certificate.subjectDer ?? subject,
    sequence(
      time(shape.notBefore ?? new Date('2026-01-01T00:00:00Z')),
      time(shape.notAfter ?? new Date('2027-01-01T00:00:00Z')),
    ),
    subject,
    spki,
    ...(shape.version === 1 ? [] : [explicit(3, writeExtensions(extensions))]),
  );
  return { key, certificate: readCertificate(sequence(tbs, identifier, bitString(sign(tbs)))) };
}

/** Makes a CA certificate with basicConstraints and keyCertSign, followed by the extensions of the shape. */
export function makeAuthority(shape: CertificateShape & { readonly pathLength?: number } = {}): Identity {
  const { pathLength, extensions = [] } = shape;
  const constraints = basicConstraints(pathLength === undefined ? { ca: true } : { ca: true, pathLength });
  return makeCertificate({
    subject: 'CN=authority',
    ...shape,
    extensions: [constraints, keyUsage(['keyCertSign', 'cRLSign']), ...extensions],
  });
}
