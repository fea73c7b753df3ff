// The judge of what was issued. Every certificate must satisfy `openssl verify -x509_strict` against the trust anchor and
// carry the key that was asked for; at the end the keep's own list must hold these certificates and no others.

import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { output } from './command.ts';
import type { Endpoints } from './endpoints.ts';
import type { Stack } from './stack.ts';

/** The judge. */
export type Certificates = {
  /**
   * Judges an issued certificate.
   *
   * @param publicKey SubjectPublicKeyInfo, PEM, that the certificate must carry
   * @throws with what openssl says of it
   */
  accept(certificate: X509Certificate, publicKey: string): Promise<void>;
  /** Counts a certificate that a gate has revoked, since it could not hand it over. */
  abandon(certificate: X509Certificate): void;
  /** The file of an accepted certificate, PEM, or undefined when it is none. */
  fileOf(serialNumber: string): string | undefined;
  /** How many were accepted. */
  count(): number;
  /** @throws when the keep's list is not what the clients hold */
  compareWithKeep(stack: Stack): Promise<void>;
};

/** Certificates that the stack makes for itself. */
export const ownProfiles: ReadonlySet<string> = new Set(['gateway-tls', 'ra-credential', 'ocsp-signing']);
/** The most that `gatehouse cert list` gives. */
const listLimit = '10000';

/** Makes the judge; `directory` is for the files that openssl reads. */
export function createCertificates({ trustAnchor, chain }: Endpoints, directory: string): Certificates {
  /** Files by serial number, lower case. */
  const accepted = new Map<string, string>();
  const keep = (certificate: X509Certificate): string => {
    const file = join(directory, `${certificate.serialNumber}.pem`);
    writeFileSync(file, certificate.toString());
    accepted.set(certificate.serialNumber.toLowerCase(), file);
    return file;
  };
  return {
    abandon: (certificate) => {
      keep(certificate);
    },
    accept: async (certificate, publicKey) => {
      // Counted before it is judged: a certificate that does not hold was issued all the same.
      const file = keep(certificate);
      await output('openssl', ['verify', '-x509_strict', '-CAfile', trustAnchor, '-untrusted', chain, file]);
      assert.equal(exportKey(certificate), publicKey.trim(), 'the certificate must carry the key of the request');
    },
    fileOf: (serialNumber) => accepted.get(serialNumber),
    count: () => accepted.size,
    compareWithKeep: async (stack) => {
      const listed = await stack.operator('cert', 'list', '--limit', listLimit);
      const issued = new Set(serialNumbers(listed));
      assert.deepEqual(
        [...accepted.keys()].sort(),
        [...issued].sort(),
        'the keep must have issued what the clients hold',
      );
    },
  };
}

function exportKey(certificate: X509Certificate): string {
  return certificate.publicKey.export({ type: 'spki', format: 'pem' }).toString().trim();
}

function serialNumbers(listed: unknown): readonly string[] {
  assert(Array.isArray(listed), 'gatehouse cert list --json must print a list');
  const rows: readonly { readonly profile: string; readonly serialNumber: string }[] = listed;
  return rows.filter(({ profile }) => !ownProfiles.has(profile)).map(({ serialNumber }) => serialNumber);
}
