// What every client may read: CA certificates and CSR attributes, RFC 7030 §4.1 and §4.5, over each version of TLS and
// under each form of the path.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Operation } from '../client.ts';
import { output } from '../command.ts';
import type { Session } from '../session.ts';
import { estPath, expectPlainBody } from './enroll.ts';
import { type CurlRequest, curl, describeAnswer, readCertificatesOnly, splitPem } from './request.ts';

const caCertificates = 'RFC 7030 §4.1';
const csrAttributes = 'RFC 7030 §4.5, RFC 9908';

/** Operations that need no proof of who asks. */
export const distribution: readonly Operation[] = [
  cacerts('cacerts, anonymous, TLS 1.3', { path: estPath('cacerts'), options: ['--tlsv1.3'] }),
  cacerts('cacerts, anonymous, TLS 1.2', { path: estPath('cacerts'), options: ['--tls-max', '1.2'] }),
  cacerts('cacerts under a label', { path: estPath('cacerts', 'tls-client') }),
  cacerts('cacerts with the label before the well-known part', { path: '/tls-client/.well-known/est/cacerts' }),
  cacerts("cacerts under label 'ca:7'", { path: estPath('cacerts', 'ca:7') }),
  cacerts("cacerts under label 'ca%3A7'", { path: estPath('cacerts', 'ca%3A7') }),
  cacerts('cacerts with a slash at the end', { path: `${estPath('cacerts')}/` }),
  cacerts('cacerts in capitals', { path: '/.WELL-KNOWN/EST/CACERTS' }),
  cacerts('cacerts for a client that accepts another type', {
    path: estPath('cacerts'),
    headers: ['Accept: application/pkix-cert'],
  }),
  cacerts('cacerts over HTTP/1.0', { path: estPath('cacerts'), options: ['--http1.0', '--no-alpn'] }),
  { name: 'cacerts twice on one connection', section: caCertificates, run: getTwice },
  { name: 'cacerts by the host name localhost', section: 'RFC 7030 §3.6.1', run: getByName },
  { name: 'csrattrs, anonymous', section: csrAttributes, run: (session) => getCsrAttributes(session, {}) },
  {
    name: 'csrattrs with the label before the well-known part',
    section: csrAttributes,
    run: (session) => getCsrAttributes(session, { path: '/device-identity/.well-known/est/csrattrs' }),
  },
  {
    name: 'csrattrs for those alone who say who they are',
    section: csrAttributes,
    run: async (session) => {
      const path = estPath('csrattrs', 'guarded');
      const refused = await curl(session, { path });
      assert.equal(refused.status, 401, describeAnswer(refused));
      await getCsrAttributes(session, { path, account: session.stack.demoUser });
    },
  },
];

function cacerts(name: string, request: CurlRequest): Operation {
  return { name, section: caCertificates, run: (session) => getCaCertificates(session, request) };
}

async function getCaCertificates(session: Session, request: CurlRequest): Promise<void> {
  const answer = await curl(session, request);
  assert.equal(answer.status, 200, describeAnswer(answer));
  assert.match(answer.headers.get('content-type') ?? '', /^application\/pkcs7-mime(; smime-type=certs-only)?$/);
  expectPlainBody(answer);
  await expectAllAuthorities(session, answer.body);
}

/** Root and issuing CAs, and nothing else. */
async function expectAllAuthorities({ stack }: Session, body: Buffer): Promise<void> {
  const { trustAnchor, chain } = stack.endpoints;
  const known = [trustAnchor, chain].flatMap((file) => splitPem(readFileSync(file, 'latin1')));
  const expected = known.map((block) => new X509Certificate(block).fingerprint256);
  const given = (await readCertificatesOnly(body)).map(({ fingerprint256 }) => fingerprint256);
  assert.deepEqual(given.toSorted(), expected.toSorted());
}

async function getTwice(session: Session): Promise<void> {
  const path = estPath('cacerts');
  const options = ['--output', session.file('first'), '--write-out', '%{num_connects}\\n'];
  const again = ['--next', '--silent', '--cacert', session.stack.endpoints.trustAnchor, session.url(path)];
  const parameters = ['--silent', '--cacert', session.stack.endpoints.trustAnchor, ...options, session.url(path)];
  const counts = await output('curl', [...parameters, ...again, ...options]);
  assert.equal(counts.toString('latin1'), '1\n0\n', 'the second request must use the connection of the first');
  await expectAllAuthorities(session, readFileSync(session.file('first')));
}

async function getByName(session: Session): Promise<void> {
  const { port } = new URL(session.url(''));
  const tls = ['--cacert', session.stack.endpoints.trustAnchor, '--ipv4'];
  const url = `https://localhost:${port}${estPath('cacerts')}`;
  await expectAllAuthorities(session, await output('curl', ['--silent', '--show-error', '--fail', ...tls, url]));
}

async function getCsrAttributes(session: Session, request: Partial<CurlRequest>): Promise<void> {
  const answer = await curl(session, { path: estPath('csrattrs'), ...request });
  assert.equal(answer.status, 200, describeAnswer(answer));
  assert.equal(answer.headers.get('content-type'), 'application/csrattrs');
  expectPlainBody(answer);
  const der = await output('openssl', ['base64', '-d', '-A'], { input: answer.body });
  const shown = (await output('openssl', ['asn1parse', '-inform', 'DER'], { input: der })).toString('latin1');
  // RFC 9908 §3.4: the template, which openssl does not know by name, and the classic elements beside it.
  assert.match(shown, /OBJECT\s+:1\.2\.840\.113549\.1\.9\.16\.2\.61/, 'a template must be among the attributes');
  assert.match(shown, /OBJECT\s+:(id-ecPublicKey|rsaEncryption)/, 'the kind of key must be among the attributes');
}
