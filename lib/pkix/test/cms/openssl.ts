// The judgement of another implementation: `openssl cms` opens what this package wrote, and writes what it opens.
import { execFileSync } from 'node:child_process';
import type { KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from '../../src/certificate.ts';
import { encodePem } from '../../src/pem.ts';

/** A recipient as openssl takes it. */
export type OpensslRecipient =
  | { readonly certificate: Certificate; readonly key: KeyObject }
  | { readonly identifier: Uint8Array; readonly secret: Uint8Array };

/** Content of a message by `openssl cms -decrypt`; throws with openssl's words when it cannot open it. */
export function opensslDecrypt(message: Uint8Array, recipient: OpensslRecipient): Buffer {
  return inDirectory((file) => {
    const key =
      'secret' in recipient
        ? secretParameters(recipient)
        : [
            '-inkey',
            file('key.pem', recipient.key.export({ type: 'pkcs8', format: 'pem' })),
            '-recip',
            file('certificate.pem', encodePem('CERTIFICATE', recipient.certificate.der)),
          ];
    return openssl(['cms', '-decrypt', '-inform', 'DER', '-in', file('message.der', message), ...key]);
  });
}

/** ContentInfo, DER, by `openssl cms -encrypt` with these options besides. */
export function opensslEncrypt(content: Uint8Array, recipient: OpensslRecipient, options: readonly string[]): Buffer {
  return inDirectory((file) => {
    const parameters = ['cms', '-encrypt', '-binary', '-outform', 'DER', '-in', file('content', content)];
    if ('secret' in recipient) return openssl([...parameters, ...options, ...secretParameters(recipient)]);
    const certificate = file('certificate.pem', encodePem('CERTIFICATE', recipient.certificate.der));
    return openssl([...parameters, '-recip', certificate, ...options]);
  });
}

function secretParameters({ identifier, secret }: { identifier: Uint8Array; secret: Uint8Array }): readonly string[] {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  return ['-secretkey', hex(secret), '-secretkeyid', hex(identifier)];
}

function openssl(parameters: readonly string[]): Buffer {
  return execFileSync('openssl', parameters, { stdio: 'pipe' });
}

function inDirectory<T>(act: (file: (name: string, content: string | Uint8Array) => string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-openssl-'));
  try {
    return act((name, content) => {
      const path = join(directory, name);
      writeFileSync(path, content, { mode: 0o600 });
      return path;
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
