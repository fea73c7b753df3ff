// Debian's `openssl s_client` as a DTLS client: OpenSSL 3.0, another release than the server's.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Device } from '../../../test-support/certificates.ts';
import { authority } from './server.ts';

/** What became of it. */
export type SClientResult = { readonly output: string; readonly isEchoed: boolean };

const everySuite = 'ALL:@SECLEVEL=0';
const limitMs = 20_000;

/**
 * Connects, says a line, waits for it to come back, and ends; or ends when the server has it end.
 *
 * @param line what is said; s_client takes a single 'R' for renegotiation
 */
export async function sClient(
  port: number,
  device: Device | undefined,
  options: {
    readonly version?: string;
    readonly ciphers?: string;
    readonly more?: readonly string[];
    readonly line?: string;
  } = {},
): Promise<SClientResult> {
  const { version = '-dtls1_2', ciphers = everySuite, more = [], line = 'hello gate' } = options;
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-s-client-'));
  try {
    const anchor = join(directory, 'anchor.pem');
    writeFileSync(anchor, pem('CERTIFICATE', authority.certificate));
    const args = ['s_client', version, '-connect', `127.0.0.1:${port}`, '-CAfile', anchor, '-cipher', ciphers, ...more];
    if (device !== undefined) args.push(...credentials(directory, device));
    const child = spawn('openssl', args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: limitMs });
    let output = '';
    let isEchoed = false;
    const gather = (bytes: Buffer): void => {
      output += bytes.toString('latin1');
      if (isEchoed || !output.includes(`\n${line}\n`)) return;
      isEchoed = true;
      child.stdin.end('Q\n');
    };
    child.stdout.on('data', gather);
    child.stderr.on('data', gather);
    child.stdin.on('error', () => undefined);
    child.stdin.write(`${line}\n`);
    await once(child, 'close');
    return { output, isEchoed };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function credentials(directory: string, device: Device): string[] {
  const certificate = join(directory, 'certificate.pem');
  const chain = join(directory, 'chain.pem');
  const key = join(directory, 'key.pem');
  writeFileSync(certificate, pem('CERTIFICATE', device.certificate));
  writeFileSync(chain, device.chain.map((der) => pem('CERTIFICATE', der)).join(''));
  writeFileSync(key, pem('PRIVATE KEY', device.privateKey), { mode: 0o600 });
  return ['-cert', certificate, '-cert_chain', chain, '-key', key];
}

function pem(label: string, der: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64')}\n-----END ${label}-----\n`;
}
