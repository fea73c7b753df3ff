// GnuTLS's certtool: CRLs in its own words.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { lastLines, output, runCommand } from '../command.ts';
import type { Session } from '../session.ts';
import type { CrlFile } from '../status/crl-files.ts';

/** What it prints of a CRL must be what openssl prints, with the serial number on it. @throws when it is not */
export async function expectCrlInfo({ file, contents }: CrlFile, serialNumber: string): Promise<void> {
  const parameters = ['--crl-info', '--inder', '--infile', file];
  const said = (await output('certtool', parameters, { environment: { TZ: 'UTC' } })).toString('latin1');
  assert.match(said, /^\tVersion: 2$/m);
  assert.match(said, new RegExp(`^\\tRevoked certificates \\(${contents.entries.length}\\):$`, 'm'));
  const serialNumbers = [...said.matchAll(/^\t\tSerial Number \(hex\): ([0-9a-f]+)$/gm)].map(([, hex = '']) => hex);
  assert(serialNumbers.includes(serialNumber.toLowerCase()), 'the certificate must be on the CRL');
  const number = /^\t\tCRL Number \(not critical\): ([0-9a-f]+)$/m.exec(said)?.[1];
  assert.equal(BigInt(`0x${number}`), contents.number);
}

/** Verifies a CRL with the certificate of its issuer. @throws when it does not */
export async function expectVerifiedCrl(session: Session, { file, url }: CrlFile, issuerFile: string): Promise<void> {
  const pem = await toPem(session, file);
  const { status, stdout, stderr } = await runCommand('certtool', [
    ...['--verify-crl', '--load-ca-certificate', issuerFile, '--infile', pem],
  ]);
  const said = stdout.toString('latin1');
  assert.equal(status, 0, `certtool ended with status ${status}: ${lastLines(stderr)}`);
  assert.match(said, /^Verification output: Verified\./m, `${url}: ${lastLines(said)}`);
}

/** What it says of a certificate and its chain, with these CRLs. */
export async function verifyChain(
  session: Session,
  certificateFile: string,
  crls: readonly CrlFile[],
): Promise<string> {
  const { chain, trustAnchor } = session.stack.endpoints;
  const certificates = [certificateFile, chain].map((file) => readFileSync(file, 'latin1'));
  const lists = await Promise.all(crls.map(async ({ file }) => readFileSync(await toPem(session, file), 'latin1')));
  const { stdout } = await runCommand('certtool', [
    ...['--verify', '--verify-profile', 'medium', '--load-ca-certificate', trustAnchor],
    ...['--load-crl', session.write(`${randomUUID()}.pem`, lists.join('\n'))],
    ...['--infile', session.write(`${randomUUID()}.pem`, certificates.join('\n'))],
  ]);
  return stdout.toString('latin1');
}

async function toPem(session: Session, file: string): Promise<string> {
  return session.write(`${randomUUID()}.pem`, await output('openssl', ['crl', '-inform', 'DER', '-in', file]));
}
