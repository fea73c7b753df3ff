// The judgement of another implementation: `openssl verify -x509_strict` on certificates that were just written.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodePem } from '@gatehouse/pkix/pem';

/** What is verified; all DER. */
export type StrictVerification = {
  readonly anchor: Uint8Array;
  readonly intermediates?: readonly Uint8Array[];
  readonly certificate: Uint8Array;
  /** 'sslserver', 'sslclient' … as openssl calls them. */
  readonly purpose?: string;
  readonly at?: Date;
};

/** Throws with openssl's own words when it does not accept the certificate. */
export function verifyStrictly({ anchor, intermediates = [], certificate, purpose, at }: StrictVerification): void {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-openssl-'));
  try {
    const file = (name: string, certificates: readonly Uint8Array[]) => {
      const path = join(directory, name);
      writeFileSync(path, certificates.map((der) => encodePem('CERTIFICATE', der)).join(''));
      return path;
    };
    const parameters = ['verify', '-x509_strict', '-CAfile', file('anchor.pem', [anchor])];
    if (intermediates.length > 0) parameters.push('-untrusted', file('intermediates.pem', intermediates));
    if (purpose !== undefined) parameters.push('-purpose', purpose);
    if (at !== undefined) parameters.push('-attime', String(Math.floor(at.getTime() / 1000)));
    execFileSync('openssl', [...parameters, file('certificate.pem', [certificate])], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A certification request, DER, made by openssl: for keys that our own writer does not sign with. Subject as `/CN=a`. */
export function requestOf(privateKeyPem: string, subject: string): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-openssl-'));
  try {
    const key = join(directory, 'key.pem');
    writeFileSync(key, privateKeyPem);
    const parameters = ['req', '-new', '-key', key, '-subj', subject, '-outform', 'DER'];
    return execFileSync('openssl', parameters, { stdio: 'pipe' });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
