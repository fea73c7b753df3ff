// Builders of keys, CSRs and foreign certificates for tests of gates that enrol.

import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createCertificationRequest, type RequestAttribute } from '@gatehouse/pkix/certification-request';
import { bitString, explicit, integer, sequence, time, utf8String } from '@gatehouse/pkix/der/writer';
import {
  authorityKeyIdentifier,
  basicConstraints,
  type Extension,
  extendedKeyUsage,
  type KeyUsage,
  keyIdentifier,
  keyUsage,
  writeExtensions,
} from '@gatehouse/pkix/extensions';
import { parseGeneralName } from '@gatehouse/pkix/general-names';
import { parseName, writeName } from '@gatehouse/pkix/names';
import { keyPurposes, pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';
import { signatureAlgorithmFor } from '@gatehouse/pkix/signature-algorithms';

/** A fresh P-256 key. */
export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** What a CSR holds. */
export type RequestShape = {
  /** RFC 4514. */
  readonly subject?: string;
  /** `DNS:a.example`, … */
  readonly names?: readonly string[];
  readonly key?: KeyObject;
  readonly challengePassword?: string;
  readonly attributes?: readonly RequestAttribute[];
  readonly extensions?: readonly Extension[];
};

/** A CSR, DER. */
export function newRequest({ subject = '', names = [], key = newKey(), ...rest }: RequestShape): Uint8Array {
  const { challengePassword, attributes = [], extensions = [] } = rest;
  return createCertificationRequest({
    subject: parseName(subject),
    key,
    names: names.map(parseGeneralName),
    extensions,
    attributes: [
      ...attributes,
      ...(challengePassword === undefined
        ? []
        : [{ type: pkcs9Attributes.challengePassword, values: [utf8String(challengePassword)] }]),
    ],
  });
}

/** What a certificate of a {@link Manufacturer} holds. */
export type DeviceShape = {
  /** RFC 4514. */
  readonly subject: string;
  readonly key: KeyObject;
  readonly notAfter?: Date;
  /** Extended key usage; clientAuth unless told, none when empty. */
  readonly purposes?: readonly string[];
  /** Key usage; digitalSignature unless told, none when empty. */
  readonly usages?: readonly KeyUsage[];
  /** Further extensions. */
  readonly extensions?: readonly Extension[];
};

/** A CA of a manufacturer, and the certificates it issues. */
export type Manufacturer = {
  readonly key: KeyObject;
  readonly certificate: Uint8Array;
  issue(options: DeviceShape): Uint8Array;
};

/** Makes a self-signed CA with one key. */
export function createManufacturer(name: string): Manufacturer {
  const key = newKey();
  const start = new Date(Date.now() - 86_400_000);
  let serial = 0;
  const sign = (
    subject: string,
    subjectKey: KeyObject,
    notAfter: Date,
    extensions: readonly Extension[],
  ): Uint8Array => {
    const { identifier, sign: signWith } = signatureAlgorithmFor(key);
    serial++;
    const body = sequence(
      explicit(0, integer(2)),
      integer(serial),
      identifier,
      writeName(parseName(name)),
      sequence(time(start), time(notAfter)),
      writeName(parseName(subject)),
      publicKeyOf(subjectKey),
      explicit(3, writeExtensions(extensions)),
    );
    return sequence(body, identifier, bitString(signWith(body)));
  };
  const later = new Date(Date.now() + 86_400_000 * 365);
  const authority = authorityKeyIdentifier(keyIdentifier(publicKeyOf(key)));
  return {
    key,
    certificate: sign(name, key, later, [basicConstraints({ ca: true }), keyUsage(['keyCertSign'])]),
    issue: ({
      subject,
      key: subjectKey,
      notAfter = later,
      purposes = [keyPurposes.clientAuth],
      usages = ['digitalSignature'],
      extensions = [],
    }) =>
      sign(subject, subjectKey, notAfter, [
        ...(usages.length === 0 ? [] : [keyUsage(usages)]),
        authority,
        ...extensions,
        ...(purposes.length === 0 ? [] : [extendedKeyUsage(purposes)]),
      ]),
  };
}

function publicKeyOf(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ format: 'der', type: 'spki' });
}
