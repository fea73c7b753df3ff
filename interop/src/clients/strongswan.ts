// strongSwan's pki, a client of EST for VPN gateways and small devices. It speaks HTTP by hand: it reads the header in one
// piece, sends Basic without being asked, and puts the path of its URL before the well-known part.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { approveRequestOf, rejectRequestOf } from '../approval.ts';
import { makeRequest, publicKeyOf, type RequestFiles } from '../certification-requests.ts';
import type { Client, Operation } from '../client.ts';
import { type CommandResult, lastLines, output, runCommand } from '../command.ts';
import { splitPem } from '../curl/request.ts';
import type { Session } from '../session.ts';

/** strongSwan's pki. */
export const strongSwan: Client = {
  name: 'strongSwan pki',
  gate: 'est',
  version: async () => {
    // It names its version in its help alone, and ends with a status that says that nothing was asked of it.
    const { stdout, stderr } = await runCommand('pki', ['--help']);
    const version = /strongSwan (\S+) PKI tool/.exec(`${stdout}${stderr}`)?.[1];
    assert(version !== undefined, 'pki --help names no version');
    return version;
  },
  operations: [
    { name: 'pki --estca: CA certificates', section: 'RFC 7030 §4.1', run: getCaCertificates },
    ...ownKeyKinds(),
    { name: 'pki --est: enrols with a CSR of openssl', section: 'RFC 7030 §4.2.1', run: enrollOpensslRequest },
    { name: 'pki --est: label before the well-known part', section: 'RFC 7030 §3.2.2', run: enrollUnderLabel },
    { name: 'pki --est: re-enrols with the same key', section: 'RFC 7030 §4.2.2', run: reenrollSameKey },
    { name: 'pki --est: re-enrols with a new key', section: 'RFC 7030 §4.2.2', run: reenrollNewKey },
    {
      name: 'pki --est: waits until a person approves',
      section: 'RFC 7030 §4.2.3',
      stack: 'approving',
      run: waitForApproval,
    },
    {
      name: 'pki --est: waits until a person rejects',
      section: 'RFC 7030 §4.2.3',
      stack: 'approving',
      run: waitForRejection,
    },
    { name: 'pki --est: is refused with a wrong password', section: 'RFC 7030 §3.2.3', run: enrollWithWrongPassword },
    { name: 'pki --est: is refused a foreign name', section: 'RFC 7030 §4.2.3', run: enrollForeignName },
  ],
};

async function getCaCertificates(session: Session): Promise<void> {
  const { trustAnchor, chain } = session.stack.endpoints;
  const template = session.file('ca.pem');
  const tls = ['--cacert', trustAnchor];
  await output('pki', [
    '--estca',
    '--url',
    session.url(''),
    ...tls,
    '--caout',
    template,
    '--outform',
    'pem',
    '--force',
  ]);
  // It writes ca.pem for a root, and ca-1.pem and so on where there are several.
  const written = globSync(session.file('*.pem')).flatMap((file) => splitPem(readFileSync(file, 'latin1')));
  const expected = [trustAnchor, chain].flatMap((file) => splitPem(readFileSync(file, 'latin1')));
  const fingerprints = (blocks: readonly string[]) =>
    new Set(blocks.map((block) => new X509Certificate(block).fingerprint256));
  assert.deepEqual(fingerprints(written), fingerprints(expected));
}

/** Kinds of keys that pki itself makes, and signs requests with. */
function ownKeyKinds(): readonly Operation[] {
  const kinds = [
    ['rsa', '2048'],
    ['rsa', '3072'],
    ['ecdsa', '256'],
    ['ecdsa', '384'],
    ['ecdsa', '521'],
    ['ed25519', '256'],
  ] as const;
  return kinds.map(([type, size]) => ({
    name: `pki --est: enrols with its own key and CSR, ${type} ${size}`,
    section: 'RFC 7030 §4.2.1',
    run: async (session) => {
      const keyFile = session.write(
        'own.key',
        await output('pki', ['--gen', '--type', type, '--size', size, '--outform', 'pem']),
      );
      const subject = ['--dn', 'C=CH, O=Example, CN=vpn.example.com', '--san', 'vpn.example.com'];
      const der = await output('pki', ['--req', '--type', 'priv', '--in', keyFile, ...subject]);
      const file = session.write('own.csr', der);
      await enroll(session, { keyFile, file, der, publicKey: await publicKeyOf(keyFile) });
    },
  }));
}

async function enrollOpensslRequest(session: Session): Promise<void> {
  const names = ['DNS:vpn.example.com', 'IP:127.0.0.1'];
  await enroll(session, await makeRequest(session, 'vpn', { subject: ['CN=vpn.example.com'], names }));
}

async function enrollUnderLabel(session: Session): Promise<void> {
  const request = await makeRequest(session, 'device', { subject: ['CN=device 7', 'serialNumber=SN-7'] });
  const { subject } = await enroll(session, request, { label: 'device-identity' });
  assert.equal(subject, 'CN=device 7\nserialNumber=SN-7');
}

async function reenrollSameKey(session: Session): Promise<void> {
  const { certificate, renewed } = await reenroll(session, (request) => request);
  assert.equal(renewed.subject, certificate.subject);
  assert.notEqual(renewed.serialNumber, certificate.serialNumber);
}

async function reenrollNewKey(session: Session): Promise<void> {
  const { certificate, renewed } = await reenroll(session, () =>
    makeRequest(session, 'next', { ...device, kind: 'P-384' }),
  );
  assert.equal(renewed.subject, certificate.subject);
}

const device = { subject: ['CN=device.example.com'], names: ['DNS:device.example.com'] } as const;

async function reenroll(session: Session, next: (request: RequestFiles) => RequestFiles | Promise<RequestFiles>) {
  const label = 'tls-client';
  const request = await makeRequest(session, 'device', device);
  const certificate = await enroll(session, request, { label });
  const shown = ['--cert', session.write('old.pem', certificate.toString()), '--key', request.keyFile];
  const renewed = await enroll(session, await next(request), { label, proof: shown });
  return { certificate, renewed };
}

// The interval is the shortest that pki takes; it never comes sooner than Retry-After says. pki forgets the path of its URL
// after the first request, so whoever lets it wait must make the label that it shall wait under the default one.
const polling = ['--interval', '1', '--maxpolltime', '120'] as const;
const pollingTimeoutMs = 180_000;

async function waitForApproval(session: Session): Promise<void> {
  const name = 'approved.example.com';
  const request = await makeRequest(session, 'peer', { subject: [`CN=${name}`], names: [`DNS:${name}`] });
  const [certificate] = await Promise.all([
    enroll(session, request, { options: polling }),
    approveRequestOf(session.stack, name),
  ]);
  assert.equal(certificate.subjectAltName, `DNS:${name}`);
}

async function waitForRejection(session: Session): Promise<void> {
  const name = 'rejected.example.com';
  const request = await makeRequest(session, 'peer', { subject: [`CN=${name}`], names: [`DNS:${name}`] });
  const [result] = await Promise.all([
    run(session, session.url(''), request, [...password(session), ...polling]),
    rejectRequestOf(session.stack, name, 'nobody knows this device'),
  ]);
  expectRefused(result, 403);
}

async function enrollWithWrongPassword(session: Session): Promise<void> {
  const request = await makeRequest(session, 'vpn', device);
  const proof = ['--userpass', `${session.stack.demoUser.username}:wrong`];
  expectRefused(await run(session, session.url(''), request, proof), 401);
}

async function enrollForeignName(session: Session): Promise<void> {
  const names = ['DNS:www.example.org'];
  const request = await makeRequest(session, 'vpn', { subject: ['CN=www.example.org'], names });
  expectRefused(await run(session, session.url(''), request, password(session)), 403);
}

type EnrollOptions = {
  readonly label?: string;
  readonly proof?: readonly string[];
  /** Further options of pki. */
  readonly options?: readonly string[];
};

async function enroll(session: Session, request: RequestFiles, wanted: EnrollOptions = {}): Promise<X509Certificate> {
  const { label, proof = password(session), options = [] } = wanted;
  const url = session.url(label === undefined ? '' : `/${label}`);
  const { status, stdout, stderr } = await run(session, url, request, [...proof, ...options]);
  assert.equal(status, 0, `pki --est ended with status ${status}: ${lastLines(stderr)}`);
  const certificate = new X509Certificate(stdout);
  await session.certificates.accept(certificate, request.publicKey);
  return certificate;
}

function run(
  { stack }: Session,
  url: string,
  { file }: RequestFiles,
  parameters: readonly string[],
): Promise<CommandResult> {
  const { trustAnchor } = stack.endpoints;
  const options = ['--url', url, '--in', file, '--cacert', trustAnchor, '--outform', 'pem', ...parameters];
  return runCommand('pki', ['--est', ...options], { timeoutMs: pollingTimeoutMs });
}

function password({ stack }: Session): readonly string[] {
  return ['--userpass', `${stack.demoUser.username}:${stack.demoUser.password}`];
}

function expectRefused({ status, stdout, stderr }: CommandResult, code: number): void {
  assert.notEqual(status, 0, 'pki --est must fail');
  assert.equal(stdout.length, 0);
  assert(stderr.includes(String(code)), `pki --est must report status ${code}: ${lastLines(stderr)}`);
}
