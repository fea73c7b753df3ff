// GlobalSign's estclient, written in Go: a client of EST for servers and devices with HTTP and TLS stacks of their own. It
// is of the time before RFC 8951 and demands Content-Transfer-Encoding, so it comes under a label that sends it.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type KeyKind, makeRequest, publicKeyOf, type RequestFiles } from '../certification-requests.ts';
import type { Client, Operation } from '../client.ts';
import { output, runCommand } from '../command.ts';
import { splitPem } from '../curl/request.ts';
import type { Session } from '../session.ts';

/** Where interop/install-clients.sh puts it. */
export const estclientProgram = fileURLToPath(new URL('../../.work/bin/estclient', import.meta.url));

const label = 'encoded';
const names = ['DNS:go.example.com'];
const subject = ['CN=go.example.com'];

/** GlobalSign's estclient. */
export const estclient: Client = {
  name: 'GlobalSign estclient',
  gate: 'est',
  version: async () => {
    const said = (await output(estclientProgram, ['version'])).toString('latin1');
    const version = /(\d\S*)\s*$/.exec(said)?.[1];
    assert(version !== undefined, 'estclient version names no version');
    return version;
  },
  operations: [
    { name: 'cacerts', section: 'RFC 7030 §4.1', run: getCaCertificates },
    { name: 'csrattrs', section: 'RFC 7030 §4.5', run: getCsrAttributes },
    ...(['P-256', 'P-384', 'RSA-2048'] as const).map(enrollKind),
    { name: 'enroll with its own CSR', section: 'RFC 7030 §4.2.1', run: enrollOwnRequest },
    { name: 'reenroll with the same key', section: 'RFC 7030 §4.2.2', run: reenroll },
    { name: 'serverkeygen', section: 'RFC 7030 §4.4', run: generateKey },
    { name: 'enroll is refused with a wrong password', section: 'RFC 7030 §3.2.3', run: enrollWithWrongPassword },
    { name: 'enroll is refused a foreign name', section: 'RFC 7030 §4.2.3', run: enrollForeignName },
  ],
};

async function getCaCertificates(session: Session): Promise<void> {
  const { trustAnchor, chain } = session.stack.endpoints;
  const given = splitPem((await call(session, 'cacerts', [])).toString('latin1'));
  const known = [trustAnchor, chain].flatMap((file) => splitPem(readFileSync(file, 'latin1')));
  const fingerprints = (blocks: readonly string[]) =>
    blocks.map((block) => new X509Certificate(block).fingerprint256).toSorted();
  assert.deepEqual(fingerprints(given), fingerprints(known));
}

async function getCsrAttributes(session: Session): Promise<void> {
  const said = (await call(session, 'csrattrs', [])).toString('latin1');
  assert.match(said, /\S/, 'there must be attributes');
}

function enrollKind(kind: KeyKind): Operation {
  return {
    name: `enroll with a CSR of openssl, ${kind}`,
    section: 'RFC 7030 §4.2.1',
    run: async (session) => {
      await enroll(session, await makeRequest(session, 'device', { subject, names, kind }));
    },
  };
}

async function enrollOwnRequest(session: Session): Promise<void> {
  const { keyFile, publicKey } = await makeRequest(session, 'device', { subject });
  const wanted = ['-cn', 'go.example.com', '-dnsnames', 'go.example.com', '-ips', '127.0.0.1'];
  const csr = session.write('own.csr', await output(estclientProgram, ['csr', '-key', keyFile, ...wanted]));
  const pem = await call(session, 'enroll', ['-csr', csr, ...password(session)]);
  const { subjectAltName } = await accept(session, pem, publicKey);
  assert.equal(subjectAltName, 'DNS:go.example.com, IP Address:127.0.0.1');
}

async function reenroll(session: Session): Promise<void> {
  const request = await makeRequest(session, 'device', { subject, names });
  const { certificate, file } = await enroll(session, request);
  const renewed = await call(session, 'reenroll', ['-certs', file, '-key', request.keyFile]);
  const { serialNumber, subject: renewedSubject } = await accept(session, renewed, request.publicKey);
  assert.equal(renewedSubject, certificate.subject);
  assert.notEqual(serialNumber, certificate.serialNumber);
}

async function generateKey(session: Session): Promise<void> {
  const { file } = await makePemRequest(session, await makeRequest(session, 'wish', { subject, names }));
  const keyFile = session.file('generated.key');
  const pem = await call(session, 'serverkeygen', ['-csr', file, '-keyout', keyFile, ...password(session)]);
  await accept(session, pem, await publicKeyOf(keyFile));
}

async function enrollWithWrongPassword(session: Session): Promise<void> {
  const { file } = await makePemRequest(session, await makeRequest(session, 'device', { subject, names }));
  await expectRefused(
    session,
    ['-csr', file, '-user', session.stack.demoUser.username, '-pass', 'wrong'],
    /the credentials are not accepted/,
  );
}

async function enrollForeignName(session: Session): Promise<void> {
  const foreign = { subject: ['CN=www.example.org'], names: ['DNS:www.example.org'] };
  const { file } = await makePemRequest(session, await makeRequest(session, 'device', foreign));
  await expectRefused(session, ['-csr', file, ...password(session)], /not allowed to enrol/);
}

async function enroll(session: Session, request: RequestFiles) {
  const { file } = await makePemRequest(session, request);
  const pem = await call(session, 'enroll', ['-csr', file, ...password(session)]);
  return { certificate: await accept(session, pem, request.publicKey), file: session.write('device.pem', pem) };
}

async function accept(session: Session, pem: Buffer, publicKey: string): Promise<X509Certificate> {
  const certificate = new X509Certificate(pem);
  await session.certificates.accept(certificate, publicKey);
  return certificate;
}

// It reads requests in PEM alone.
async function makePemRequest(session: Session, { file }: RequestFiles): Promise<{ readonly file: string }> {
  return { file: session.write('request.pem', await output('openssl', ['req', '-inform', 'DER', '-in', file])) };
}

function call(session: Session, command: string, parameters: readonly string[]): Promise<Buffer> {
  return output(estclientProgram, [command, ...connection(session), ...parameters]);
}

/** It reports the line of the refusal, and no status. */
async function expectRefused(session: Session, parameters: readonly string[], line: RegExp): Promise<void> {
  const { status, stderr } = await runCommand(estclientProgram, ['enroll', ...connection(session), ...parameters]);
  assert.notEqual(status, 0, 'estclient must fail');
  assert.match(stderr, line);
}

function connection({ stack, authority }: Session): readonly string[] {
  return ['-server', authority, '-aps', label, '-explicit', stack.endpoints.trustAnchor];
}

function password({ stack }: Session): readonly string[] {
  return ['-user', stack.demoUser.username, '-pass', stack.demoUser.password];
}
