// The other implementation of CRLs: `openssl ca -gencrl` writes what this package reads.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodePem } from '../../src/pem.ts';
import type { Identity } from '../support/certificates.ts';

/** A revoked certificate as the database of `openssl ca` has it. */
export type RevokedLine = {
  readonly serialNumber: string;
  /** `YYMMDDHHMMSSZ[,reason[,…]]`, such as `260203040506Z,CAkeyTime,20251224000000Z`. */
  readonly revocation: string;
};

/** A CRL, DER, with this number (hexadecimal) and, in openssl's configuration syntax, these extensions. */
export function opensslCrl(
  authority: Identity,
  revoked: readonly RevokedLine[],
  { number = '07', extensions = [] }: { readonly number?: string; readonly extensions?: readonly string[] } = {},
): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-openssl-'));
  try {
    const file = (name: string, content: string) => {
      const path = join(directory, name);
      writeFileSync(path, content, { mode: 0o600 });
      return path;
    };
    const index = revoked.map(({ serialNumber, revocation }) =>
      ['R', '360101000000Z', revocation, serialNumber.toUpperCase(), 'unknown', '/CN=leaf'].join('\t'),
    );
    const configuration = [
      '[ca]',
      'default_ca = this',
      '[this]',
      `database = ${file('index.txt', index.map((line) => `${line}\n`).join(''))}`,
      `crlnumber = ${file('crlnumber', `${number}\n`)}`,
      'default_md = sha256',
      'default_crl_days = 7',
      'crl_extensions = crl',
      '[crl]',
      'authorityKeyIdentifier = keyid',
      ...extensions,
      '',
    ].join('\n');
    const parameters = [
      ...['ca', '-gencrl', '-config', file('ca.cnf', configuration)],
      ...['-cert', file('ca.pem', encodePem('CERTIFICATE', authority.certificate.der))],
      ...['-keyfile', file('ca.key', authority.key.export({ type: 'pkcs8', format: 'pem' }).toString())],
      ...['-out', join(directory, 'crl.pem')],
    ];
    execFileSync('openssl', parameters, { stdio: 'pipe', timeout: 60_000 });
    const asDer = ['crl', '-in', join(directory, 'crl.pem'), '-outform', 'DER', '-out', join(directory, 'crl.der')];
    execFileSync('openssl', asDer, { stdio: 'pipe', timeout: 60_000 });
    return readFileSync(join(directory, 'crl.der'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
