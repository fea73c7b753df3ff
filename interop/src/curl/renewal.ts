// simplereenroll by curl, RFC 7030 §4.2.2, and the other ways in which a client certificate is the proof, §3.3.2.

import assert from 'node:assert/strict';
import { makeRequest } from '../certification-requests.ts';
import type { Operation } from '../client.ts';
import type { Session } from '../session.ts';
import { type Enrolled, enrollByCurl, enrollNew, estPath } from './enroll.ts';
import type { CurlRequest } from './request.ts';

const renewalSection = 'RFC 7030 §4.2.2';
const certificateSection = 'RFC 7030 §3.3.2';
const device = { subject: ['CN=renewed.example.com'], names: ['DNS:renewed.example.com'] };

/** Operations of clients that hold a certificate already. */
export const renewal: readonly Operation[] = [
  { name: 'simplereenroll, same key', section: renewalSection, run: (session) => renew(session, {}) },
  {
    name: 'simplereenroll, TLS 1.2',
    section: renewalSection,
    run: (session) => renew(session, { options: ['--tls-max', '1.2'] }),
  },
  { name: 'simplereenroll, new key', section: renewalSection, run: renewWithNewKey },
  { name: 'simplereenroll, three times in a row', section: renewalSection, run: renewAgainAndAgain },
  { name: 'simplereenroll of a server certificate', section: renewalSection, run: renewServerCertificate },
  {
    name: 'simplereenroll, certificate and password',
    section: renewalSection,
    run: (session) => renew(session, { account: session.stack.demoUser }),
  },
  { name: 'simplereenroll, password alone', section: renewalSection, run: renewByPassword },
  { name: 'simplereenroll, name in another string type', section: 'RFC 5280 §7.1', run: renewOtherStringType },
  { name: 'simpleenroll, certificate alone', section: certificateSection, run: enrollByCertificate },
  {
    name: 'simpleenroll, certificate and password where the label demands both',
    section: certificateSection,
    run: enrollByBoth,
  },
];

async function renew(session: Session, changes: Partial<CurlRequest>): Promise<void> {
  const enrolled = await enrollNew(session, 'device', 'tls-client', device);
  const { certificate, request } = enrolled;
  const renewed = await reenroll(session, enrolled, request, changes);
  assert.equal(renewed.subject, certificate.subject);
  assert.equal(renewed.subjectAltName, certificate.subjectAltName);
  assert.notEqual(renewed.serialNumber, certificate.serialNumber);
}

function reenroll(session: Session, shown: Enrolled, request: Enrolled['request'], changes: Partial<CurlRequest> = {}) {
  return enrollByCurl(session, request, {
    path: estPath('simplereenroll', 'tls-client'),
    account: undefined,
    clientCertificate: shown,
    ...changes,
  });
}

async function renewWithNewKey(session: Session): Promise<void> {
  const enrolled = await enrollNew(session, 'device', 'tls-client', device);
  const next = await makeRequest(session, 'next', { ...device, kind: 'Ed25519' });
  assert.notEqual(next.publicKey, enrolled.request.publicKey);
  await reenroll(session, enrolled, next);
}

async function renewAgainAndAgain(session: Session): Promise<void> {
  let held = await enrollNew(session, 'device', 'tls-client', device);
  for (const name of ['first', 'second', 'third']) {
    const request = await makeRequest(session, name, device);
    const certificate = await reenroll(session, held, request);
    const certificateFile = session.write(`${name}.pem`, certificate.toString());
    held = { certificate, request, certificateFile, keyFile: request.keyFile };
  }
}

async function renewServerCertificate(session: Session): Promise<void> {
  // Its extended key usage is serverAuth alone; it still proves to this CA whose it is.
  const enrolled = await enrollNew(session, 'www', undefined, device);
  await reenroll(session, enrolled, enrolled.request, { path: estPath('simplereenroll') });
}

async function renewByPassword(session: Session): Promise<void> {
  const name = 'by-password.example.com';
  const own = { subject: [`CN=${name}`], names: [`DNS:${name}`] };
  const { request } = await enrollNew(session, 'device', 'tls-client', own);
  await enrollByCurl(session, request, { path: estPath('simplereenroll', 'tls-client') });
}

async function renewOtherStringType(session: Session): Promise<void> {
  const enrolled = await enrollNew(session, 'device', 'tls-client', device);
  const next = await makeRequest(session, 'next', { ...device, stringMask: 'pkix' });
  await reenroll(session, enrolled, next);
}

async function enrollByCertificate(session: Session): Promise<void> {
  const enrolled = await enrollNew(session, 'device', 'tls-client', device);
  const request = await makeRequest(session, 'further', device);
  await reenroll(session, enrolled, request, { path: estPath('simpleenroll', 'tls-client') });
}

async function enrollByBoth(session: Session): Promise<void> {
  const enrolled = await enrollNew(session, 'device', 'tls-client', device);
  const request = await makeRequest(session, 'further', { subject: ['CN=renewed.example.com'] });
  const path = estPath('simpleenroll', 'both');
  await reenroll(session, enrolled, request, { path, account: session.stack.demoUser });
}
