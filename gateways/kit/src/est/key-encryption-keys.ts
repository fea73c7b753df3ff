// Keys that generated keys can be encrypted to beside the client's own certificate, RFC 7030 §4.4.1.1–2: pre-shared
// key-encryption keys and certificates that the operator put into files. The secrets are read once, at the start, from
// files that their owner alone may read, and are never logged.

import { readFileSync } from 'node:fs';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { keyDeliveryTo } from '@gatehouse/pkix/cms/recipient';
import { PkixError } from '@gatehouse/pkix/errors';
import { decodePem } from '@gatehouse/pkix/pem';
import { FatalError } from '@gatehouse/runtime/fatal';
import { readPrivateFile } from '@gatehouse/runtime/private-file';
import { z } from 'zod';

const labels = z.array(z.string()).default(['*']);

/** Schema of `est.keyEncryption`. */
export const keyEncryptionSchema = z.strictObject({
  /** Pre-shared keys. A client names one by DecryptKeyIdentifier. */
  keys: z
    .array(
      z.strictObject({
        /** The octets of DecryptKeyIdentifier: text, or `hex:` and hexadecimal digits. */
        id: z
          .string()
          .min(1)
          .max(128)
          .regex(/^(?!hex:)|^hex:(?:[0-9a-fA-F]{2})+$/, "'hex:' must be followed by pairs of hexadecimal digits"),
        /** File with the AES key in hexadecimal digits: 32, 48 or 64 of them. Readable by its owner alone. */
        file: z.string().min(1),
        /** Labels under which it can be named; `*` for all. */
        labels,
      }),
    )
    .default([]),
  /**
   * Certificates whose holders want keys encrypted to them. A client names one by AsymmetricDecryptKeyIdentifier: the
   * subjectKeyIdentifier of the certificate, or SHA-256 of its public key.
   */
  certificates: z
    .array(
      z.strictObject({
        /** PEM file with one certificate of a key for keyEncipherment (RSA) or keyAgreement (EC). */
        file: z.string().min(1),
        labels,
      }),
    )
    .default([]),
});

/** Settings of `est.keyEncryption`, defaults filled in. */
export type KeyEncryptionSettings = z.output<typeof keyEncryptionSchema>;

/** The keys, ready for use. */
export type KeyEncryptionKeys = {
  /** The pre-shared key that a client of this label names, or undefined. */
  findKey(label: string, identifier: Uint8Array): Uint8Array | undefined;
  /** The certificates that clients of this label may name. */
  certificates(label: string): readonly Certificate[];
};

/**
 * Reads all files.
 *
 * @param resolve absolute path of a path in the configuration
 * @throws {FatalError} naming the file, when one is missing, readable by others, or holds something else
 */
export function loadKeyEncryptionKeys(
  settings: KeyEncryptionSettings,
  resolve: (path: string) => string,
): KeyEncryptionKeys {
  const keys = settings.keys.map(({ id, file, labels }) => ({
    identifier: toOctets(id),
    key: loadKey(resolve(file)),
    labels,
  }));
  const certificates = settings.certificates.map(({ file, labels }) => ({
    certificate: loadCertificate(resolve(file)),
    labels,
  }));
  return {
    findKey: (label, identifier) =>
      keys.find((entry) => isFor(entry.labels, label) && Buffer.compare(entry.identifier, identifier) === 0)?.key,
    certificates: (label) =>
      certificates.filter((entry) => isFor(entry.labels, label)).map(({ certificate }) => certificate),
  };
}

function isFor(entries: readonly string[], label: string): boolean {
  return entries.includes('*') || entries.includes(label);
}

function toOctets(id: string): Uint8Array {
  return id.startsWith('hex:') ? Buffer.from(id.slice(4), 'hex') : Buffer.from(id, 'utf8');
}

function loadKey(file: string): Uint8Array {
  const text = readPrivateFile(file).toString('latin1').trim();
  if (!/^(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{48}|[0-9a-fA-F]{64})$/.test(text)) {
    throw new FatalError(`${file} does not hold an AES key in hexadecimal digits`, {
      hint: `make one: (umask 077; openssl rand -hex 32 > ${file})`,
      exitCode: 78,
    });
  }
  return Buffer.from(text, 'hex');
}

function loadCertificate(file: string): Certificate {
  const certificate = readOneCertificate(file);
  // RFC 7030 §4.4.1.2: its key must be for key transport or key agreement, or for anything.
  if (keyDeliveryTo(certificate) === undefined) {
    throw new FatalError(`keys cannot be encrypted to the certificate in ${file}`, {
      hint: 'its key must be RSA for keyEncipherment or EC for keyAgreement, or have no keyUsage',
      exitCode: 78,
    });
  }
  return certificate;
}

function readOneCertificate(file: string): Certificate {
  try {
    const [block, ...more] = decodePem(readFileSync(file, 'latin1'), ['CERTIFICATE']);
    if (block !== undefined && more.length === 0) return readCertificate(block.der);
  } catch (cause) {
    const reason = cause instanceof PkixError ? cause.detail : cause instanceof Error ? cause.message : String(cause);
    throw new FatalError(`${file} cannot be used: ${reason}`, { exitCode: 78, cause });
  }
  throw new FatalError(`${file} does not hold exactly one certificate`, { exitCode: 78 });
}
