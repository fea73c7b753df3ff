// simpleenroll by curl, RFC 7030 §4.2.1: kinds of keys, encodings of the body, versions of TLS, ways of HTTP
// authentication, and what HTTP libraries do to a request on its way.

import assert from 'node:assert/strict';
import { approveRequestOf } from '../approval.ts';
import { type KeyKind, keyKinds, makeRequest } from '../certification-requests.ts';
import type { Operation } from '../client.ts';
import { output } from '../command.ts';
import type { Session } from '../session.ts';
import { approvalLabel } from '../stack-configuration.ts';
import { enrollByCurl, enrollNew, estPath, expectIssued, toBase64 } from './enroll.ts';
import { type CurlRequest, curl, describeAnswer } from './request.ts';

const section = 'RFC 7030 §4.2.1';
const authentication = 'RFC 7030 §3.2.3';
const server = {
  subject: ['CN=www.example.com'],
  names: ['DNS:www.example.com', 'DNS:*.example.test', 'IP:127.0.0.1'],
};

/** How the body is written, by what the matrix calls it. RFC 8951 §3.1 asks for the first, clients send all of them. */
const encodings: Readonly<Record<string, (der: Buffer) => string | Buffer | Promise<Buffer>>> = {
  'base64 in one line': toBase64,
  'base64 in lines of 64': (der) => output('openssl', ['base64', '-e'], { input: der }),
  'base64 in lines of 76, CRLF': (der) => toBase64(der).replaceAll(/.{76}/g, '$&\r\n'),
  PEM: (der) => output('openssl', ['req', '-inform', 'DER', '-outform', 'PEM'], { input: der }),
  'PEM, NEW CERTIFICATE REQUEST': (der) =>
    output('openssl', ['req', '-inform', 'DER', '-outform', 'PEM', '-newhdr'], { input: der }),
  DER: (der) => der,
};

/** How a request may differ from the plainest one. */
const variations: readonly (readonly [name: string, changes: Partial<CurlRequest>])[] = [
  ['TLS 1.2', { options: ['--tls-max', '1.2'] }],
  ['TLS 1.3', { options: ['--tlsv1.3'] }],
  ['chunked upload', { headers: ['Transfer-Encoding: chunked'] }],
  ['Expect: 100-continue', { headers: ['Expect: 100-continue'] }],
  ['Content-Type with a parameter', { contentType: 'application/pkcs10; charset=utf-8' }],
  ['Content-Type in capitals', { contentType: 'Application/PKCS10' }],
  ['Content-Transfer-Encoding: base64', { headers: ['Content-Transfer-Encoding: base64'] }],
  ['label tls-server', { path: estPath('simpleenroll', 'tls-server') }],
  ['label tls-server before the well-known part', { path: '/tls-server/.well-known/est/simpleenroll' }],
];

/** Operations that enrol. */
export const enrollment: readonly Operation[] = [
  ...Object.keys(keyKinds)
    .filter((kind): kind is KeyKind => kind in keyKinds)
    .map((kind) => ({
      name: `simpleenroll, ${kind}`,
      section,
      run: async (session: Session) => {
        await enrollByCurl(session, await makeRequest(session, 'www', { ...server, kind }));
      },
    })),
  ...Object.entries(encodings).map(([name, encode]) => ({
    name: `simpleenroll, ${name}`,
    section: 'RFC 8951 §3.1',
    run: async (session: Session) => {
      const request = await makeRequest(session, 'www', server);
      await enrollByCurl(session, request, { body: await encode(request.der) });
    },
  })),
  ...variations.map(([name, changes]) => ({
    name: `simpleenroll, ${name}`,
    section,
    run: async (session: Session) => {
      await enrollByCurl(session, await makeRequest(session, 'www', server), changes);
    },
  })),
  { name: 'simpleenroll, no Content-Type where the label allows', section, run: enrollUntyped },
  { name: 'simpleenroll, common name alone', section, run: enrollCommonName },
  { name: 'simpleenroll, subject of a device', section, run: enrollDevice },
  { name: 'simpleenroll, Basic after 401 (--anyauth)', section: authentication, run: enrollAnyAuth },
  { name: 'simpleenroll, Digest (--digest)', section: 'RFC 7616', run: (session) => enrollDigest(session, '--digest') },
  {
    name: 'simpleenroll, Digest chosen by --anyauth',
    section: 'RFC 7616',
    run: (session) => enrollDigest(session, '--anyauth'),
  },
  { name: 'the same request twice gives one certificate', section, run: enrollTwice },
  { name: '202 with Retry-After, then the certificate', section: 'RFC 7030 §4.2.3', run: enrollPending },
];

async function enrollUntyped(session: Session): Promise<void> {
  const request = await makeRequest(session, 'device', { subject: ['CN=untyped.example.com'] });
  await enrollByCurl(session, request, { path: estPath('simpleenroll', 'untyped'), contentType: '' });
}

async function enrollCommonName(session: Session): Promise<void> {
  const { certificate } = await enrollNew(session, 'www', undefined, { subject: ['CN=alone.example.com'] });
  assert.equal(certificate.subjectAltName, 'DNS:alone.example.com');
}

async function enrollDevice(session: Session): Promise<void> {
  const subject = ['CN=Gerät 7 von Müller & Söhne', 'serialNumber=SN-0007'];
  const { certificate } = await enrollNew(session, 'device', 'device-identity', { subject });
  assert.equal(certificate.subject, subject.join('\n'));
}

async function enrollAnyAuth(session: Session): Promise<void> {
  await enrollByCurl(session, await makeRequest(session, 'www', server), { options: ['--anyauth'] });
}

async function enrollDigest(session: Session, option: string): Promise<void> {
  const request = await makeRequest(session, 'device', { subject: ['CN=digest.example.com'] });
  const { digestUser: account } = session.stack;
  await enrollByCurl(session, request, { path: estPath('simpleenroll', 'digest'), account, options: [option] });
}

async function enrollTwice(session: Session): Promise<void> {
  const request = await makeRequest(session, 'www', server);
  const first = await enrollByCurl(session, request);
  const second = await enrollByCurl(session, request);
  assert.equal(second.serialNumber, first.serialNumber);
}

async function enrollPending(session: Session): Promise<void> {
  const name = 'pending.example.com';
  const request = await makeRequest(session, 'peer', { subject: [`CN=${name}`], names: [`DNS:${name}`] });
  const path = estPath('simpleenroll', approvalLabel);
  const waiting = { path, body: toBase64(request.der), account: session.stack.demoUser };
  const first = await curl(session, waiting);
  assert.equal(first.status, 202, describeAnswer(first));
  // Seconds and never a date: small clients read a number.
  assert.match(first.headers.get('retry-after') ?? '', /^[1-9]\d{0,5}$/);
  assert.equal((await curl(session, waiting)).status, 202, 'the same request must join the one that waits');
  await approveRequestOf(session.stack, name);
  await expectIssued(session, await curl(session, waiting), request.publicKey);
}
