// Certificates for tests: a small CA that signs whatever it is told to.

import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { bitString, explicit, integer, sequence, time } from '@gatehouse/pkix/der/writer';
import {
  basicConstraints,
  type Extension,
  keyUsage,
  subjectAlternativeName,
  writeExtensions,
} from '@gatehouse/pkix/extensions';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import { attribute, writeName } from '@gatehouse/pkix/names';
import { signatureAlgorithmFor } from '@gatehouse/pkix/signature-algorithms';

/** What a test certificate says. */
export type TestCertificateOptions = {
  readonly commonName?: string;
  readonly names?: readonly GeneralName[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
};

/** A CA for tests. */
export type TestAuthority = {
  readonly certificate: Uint8Array;
  issue(options: TestCertificateOptions): Uint8Array;
};

export const hour = 3_600_000;

/** A fresh P-256 key with its SubjectPublicKeyInfo. */
export function createTestKey(): { readonly privateKey: KeyObject; readonly publicKey: Uint8Array } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, publicKey: publicKeyOf(privateKey) };
}

/** The SubjectPublicKeyInfo of a private key. */
export function publicKeyOf(privateKey: KeyObject): Uint8Array {
  return createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
}

/** Creates a self-signed CA, or, with `issuer`, an intermediate one. */
export function createTestAuthority(
  commonName: string,
  issuer?: TestAuthority & { readonly key: KeyObject; readonly commonName: string },
) {
  const { privateKey: key, publicKey } = createTestKey();
  const certificate = write({
    issuerName: issuer?.commonName ?? commonName,
    issuerKey: issuer?.key ?? key,
    options: { commonName, publicKey },
    extensions: [basicConstraints({ ca: true }), keyUsage(['keyCertSign'])],
  });
  const issue = (options: TestCertificateOptions): Uint8Array =>
    write({ issuerName: commonName, issuerKey: key, options, extensions: [] });
  return { commonName, key, certificate, issue };
}

function write(parts: {
  readonly issuerName: string;
  readonly issuerKey: KeyObject;
  readonly options: TestCertificateOptions;
  readonly extensions: readonly Extension[];
}): Uint8Array {
  const { options, issuerKey, issuerName } = parts;
  const { identifier, sign } = signatureAlgorithmFor(issuerKey);
  const names = options.names ?? [];
  const extensions = names.length === 0 ? parts.extensions : [...parts.extensions, subjectAlternativeName(names)];
  const now = Date.now();
  const serialNumber = Buffer.concat([Buffer.from([1]), randomBytes(15)]);
  const tbs = sequence(
    explicit(0, integer(2)),
    integer(serialNumber),
    identifier,
    writeName([[attribute('CN', issuerName)]]),
    sequence(time(options.notBefore ?? new Date(now - hour)), time(options.notAfter ?? new Date(now + 24 * hour))),
    writeName(options.commonName === undefined ? [] : [[attribute('CN', options.commonName)]]),
    options.publicKey,
    ...(extensions.length === 0 ? [] : [explicit(3, writeExtensions(extensions))]),
  );
  return sequence(tbs, identifier, bitString(sign(tbs)));
}
