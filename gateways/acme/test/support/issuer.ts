// A CA of the test's own, for what must not depend on a keep: certificates with the serial number, the period and the names
// that a test wants, and requests of strangers.

import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { createCertificationRequest } from '@gatehouse/pkix/certification-request';
import { bitString, explicit, integer, sequence, time } from '@gatehouse/pkix/der/writer';
import {
  authorityKeyIdentifier,
  basicConstraints,
  keyIdentifier,
  subjectAlternativeName,
  writeExtensions,
} from '@gatehouse/pkix/extensions';
import { parseGeneralName } from '@gatehouse/pkix/general-names';
import { parseName, writeName } from '@gatehouse/pkix/names';
import { signatureAlgorithmFor } from '@gatehouse/pkix/signature-algorithms';

/** A fresh P-256 key. */
export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** What a CSR holds. */
export type RequestShape = {
  /** RFC 4514. */
  readonly subject?: string;
  /** `DNS:a.example`, `IP:192.0.2.1`, … */
  readonly names?: readonly string[];
  readonly key?: KeyObject;
};

/** A CSR, DER. */
export function newRequest({ subject = '', names = [], key = newKey() }: RequestShape): Uint8Array {
  return createCertificationRequest({ subject: parseName(subject), key, names: names.map(parseGeneralName) });
}

/** What a certificate holds. */
export type CertificateShape = {
  readonly names?: readonly string[];
  readonly key?: KeyObject;
  readonly serialNumber?: Uint8Array;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
};

/** A CA. */
export type Issuer = {
  /** Self-signed, DER. */
  readonly certificate: Uint8Array;
  readonly key: KeyObject;
  issue(shape?: CertificateShape): Uint8Array;
  /** Certifies the same key under the name of the CA by another one. */
  crossSign(by: Issuer, byName: string): Uint8Array;
};

let serials = 0;

/** Makes a CA. @param name RFC 4514 */
export function createIssuer(name = 'CN=Test CA', key = newKey()): Issuer {
  const spkiOf = (of: KeyObject) => createPublicKey(of).export({ format: 'der', type: 'spki' });
  const dayMs = 86_400_000;
  const certify = (
    issuer: { readonly name: string; readonly key: KeyObject },
    subject: string,
    subjectKey: KeyObject,
    shape: CertificateShape,
    isCa: boolean,
  ): Uint8Array => {
    const { identifier, sign } = signatureAlgorithmFor(issuer.key);
    const { serialNumber, names = [], notBefore = new Date(Date.now() - dayMs), notAfter } = shape;
    const body = sequence(
      explicit(0, integer(2)),
      integer(serialNumber ?? ++serials),
      identifier,
      writeName(parseName(issuer.name)),
      sequence(time(notBefore), time(notAfter ?? new Date(Date.now() + 89 * dayMs))),
      writeName(parseName(subject)),
      spkiOf(subjectKey),
      explicit(
        3,
        writeExtensions([
          authorityKeyIdentifier(keyIdentifier(spkiOf(issuer.key))),
          basicConstraints({ ca: isCa }),
          ...(names.length === 0 ? [] : [subjectAlternativeName(names.map(parseGeneralName))]),
        ]),
      ),
    );
    return sequence(body, identifier, bitString(sign(body)));
  };
  return {
    key,
    certificate: certify({ name, key }, name, key, {}, true),
    issue: (shape = {}) => certify({ name, key }, '', shape.key ?? newKey(), shape, false),
    crossSign: (by, byName) => certify({ name: byName, key: by.key }, name, key, {}, true),
  };
}

/** The certificate as a value. */
export function read(der: Uint8Array): Certificate {
  return readCertificate(der);
}
