// Certificates of issuers over plain HTTP, found where certificates say that they are, RFC 5280 §4.2.2.1.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Operation } from '../client.ts';
import { output } from '../command.ts';
import type { Session } from '../session.ts';
import { readPointers } from '../status/pointers.ts';
import { enrollSubject, only } from '../status/subject.ts';
import { callCurl, describeAnswer, splitPem } from './request.ts';
import { expectNoDetour } from './status-answers.ts';

const section = 'RFC 5280 §4.2.2.1';

/** The operations. */
export const certificates: readonly Operation[] = [
  { name: 'caIssuers of a certificate: the issuing CA, which verifies it', section, run: fetchIssuer },
  { name: 'caIssuers of the issuing CA: the root', section, run: fetchRoot },
  { name: 'chain.pem', section: 'RFC 8555 §9.1', run: fetchChain },
];

async function fetchIssuer(session: Session): Promise<void> {
  const { issuer, certificateFile } = await enrollSubject(session, 'orphan');
  const { trustAnchor, chain } = session.stack.endpoints;
  const found = await fetchCertificate(session, issuer);
  assert.equal(found.fingerprint256, new X509Certificate(readFileSync(chain)).fingerprint256);
  // Who has nothing but the certificate and the trust anchor finds the way by it.
  const file = session.write('found.pem', found.toString());
  await output('openssl', ['verify', '-x509_strict', '-CAfile', trustAnchor, '-untrusted', file, certificateFile]);
}

async function fetchRoot(session: Session): Promise<void> {
  const { trustAnchor, chain } = session.stack.endpoints;
  const url = only((await readPointers(chain)).issuers, 'certificate of the issuer');
  const found = await fetchCertificate(session, url);
  assert.equal(found.fingerprint256, new X509Certificate(readFileSync(trustAnchor)).fingerprint256);
}

/** RFC 2585 §4.1: one certificate, DER. */
async function fetchCertificate(session: Session, url: string): Promise<X509Certificate> {
  const answer = await callCurl(session, url);
  assert.equal(answer.status, 200, describeAnswer(answer));
  assert.equal(answer.headers.get('content-type'), 'application/pkix-cert');
  expectNoDetour(answer);
  const shown = ['x509', '-inform', 'DER', '-in', session.write('found.crt', answer.body)];
  return new X509Certificate(await output('openssl', shown));
}

async function fetchChain(session: Session): Promise<void> {
  const { chain, status } = session.stack.endpoints;
  const answer = await callCurl(session, new URL('/chain.pem', status.ocsp).href);
  assert.equal(answer.status, 200, describeAnswer(answer));
  assert.equal(answer.headers.get('content-type'), 'application/pem-certificate-chain');
  assert.deepEqual(splitPem(answer.body.toString('latin1')), splitPem(readFileSync(chain, 'latin1')));
}
