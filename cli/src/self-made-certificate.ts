/**
 * A certificate that no CA of the house stands behind: of the manufacturer of a device for trying out, of further roots for
 * test suites. Certificates that anybody is to rely on are made by the keep alone.
 */
import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { bitString, explicit, integer, sequence, time } from '@gatehouse/pkix/der/writer';
import {
  authorityKeyIdentifier,
  type Extension,
  keyIdentifier,
  subjectKeyIdentifier,
  writeExtensions,
} from '@gatehouse/pkix/extensions';
import { type Name, writeName } from '@gatehouse/pkix/names';
import { signatureAlgorithmFor } from '@gatehouse/pkix/signature-algorithms';

/** A name with its private key. */
export type NamedKey = { readonly name: Name; readonly key: KeyObject };

/** What {@link makeCertificate} takes. */
export type SelfMadeCertificate = {
  readonly issuer: NamedKey;
  readonly subject: NamedKey;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Beside the key identifiers. */
  readonly extensions: readonly Extension[];
};

/** Makes a certificate, DER. Throws NameError, DerError and CertificateError for what cannot be one. */
export function makeCertificate({ issuer, subject, notBefore, notAfter, extensions }: SelfMadeCertificate): Uint8Array {
  const { identifier, sign } = signatureAlgorithmFor(issuer.key);
  const [subjectKey, issuerKey] = [publicKeyOf(subject), publicKeyOf(issuer)];
  const body = sequence(
    explicit(0, integer(2)),
    // RFC 5280 §4.1.2.2: positive, at most 20 octets.
    integer(Buffer.concat([Buffer.of(0x10), randomBytes(15)])),
    identifier,
    writeName(issuer.name),
    sequence(time(notBefore), time(notAfter)),
    writeName(subject.name),
    subjectKey,
    explicit(
      3,
      writeExtensions([
        ...extensions,
        subjectKeyIdentifier(subjectKey),
        authorityKeyIdentifier(keyIdentifier(issuerKey)),
      ]),
    ),
  );
  const certificate = sequence(body, identifier, bitString(sign(body)));
  // One that nobody could read would only be found out by whoever is shown it.
  return readCertificate(certificate).der;
}

function publicKeyOf({ key }: NamedKey): Uint8Array {
  return createPublicKey(key).export({ format: 'der', type: 'spki' });
}
