// GnuTLS: ocsptool and certtool, which share nothing with OpenSSL. Mail servers, printing and much of a desktop check
// status by this library.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Client } from '../client.ts';
import { lastLines, output, runCommand } from '../command.ts';
import { callCurl } from '../curl/request.ts';
import { expectCrlInfo, expectVerifiedCrl, verifyChain } from '../gnutls/certtool.ts';
import type { Session } from '../session.ts';
import { crlUrl, fetchCrl } from '../status/crl-files.ts';
import { deltaUrl, untilListed } from '../status/expect-crl.ts';
import { untilStatus } from '../status/expect-ocsp.ts';
import { hold, revoke } from '../status/operator.ts';
import { readPointers } from '../status/pointers.ts';
import { enrollSubject, only, type Subject } from '../status/subject.ts';

/** GnuTLS. */
export const gnutlsClient: Client = {
  name: 'GnuTLS ocsptool and certtool',
  gate: 'status',
  version: async () => {
    const said = (await output('ocsptool', ['--version'])).toString('latin1');
    const version = /^ocsptool (\S+)/.exec(said)?.[1];
    assert(version !== undefined, 'ocsptool --version names no version');
    return version;
  },
  operations: [
    { name: 'ocsptool --ask: good', section: 'RFC 6960 appendix A.1', run: askGood },
    { name: 'ocsptool --ask: revoked', section: 'RFC 6960 §2.2', run: askRevoked },
    { name: 'ocsptool --ask: on hold', section: 'RFC 6960 §2.2', run: askHeld },
    { name: 'ocsptool --ask --nonce', section: 'RFC 9654 §2.1', stack: 'approving', run: askWithNonce },
    { name: 'ocsptool --generate-request, --verify-response', section: 'RFC 6960 §4.2.2.2', run: verifyResponse },
    { name: 'certtool --crl-info: a shard, with what is on it', section: 'RFC 5280 §5', run: readShard },
    { name: 'certtool --verify-crl: complete, shard, CA certificates, root', section: 'RFC 5280 §5', run: verifyLists },
    { name: 'certtool --verify-crl: a delta', section: 'RFC 5280 §5.2.4', run: verifyDelta },
    { name: 'certtool --verify --load-crl: valid, then revoked', section: 'RFC 5280 §6.3', run: verifyWithCrls },
  ],
};

async function askGood(session: Session): Promise<void> {
  expectStatus(await ask(session, await enrollSubject(session, 'good')), 'good');
}

async function askRevoked(session: Session): Promise<void> {
  const subject = await enrollSubject(session, 'revoked');
  await revoke(session, subject.serialNumber, 'key-compromise');
  await untilStatus(session, subject, 'revoked');
  expectStatus(await ask(session, subject), 'revoked');
}

async function askHeld(session: Session): Promise<void> {
  const subject = await enrollSubject(session, 'suspended');
  await hold(session, subject.serialNumber);
  await untilStatus(session, subject, 'revoked');
  expectStatus(await ask(session, subject), 'revoked');
}

async function askWithNonce(session: Session): Promise<void> {
  const said = await ask(session, await enrollSubject(session, 'nonce'), '--nonce');
  expectStatus(said, 'good');
  assert.match(said, /^\s+Nonce: [0-9a-f]+$/m);
}

/** It finds the responder in the certificate. */
async function ask(session: Session, { certificateFile, issuerFile }: Subject, ...options: readonly string[]) {
  const files = ['--load-cert', certificateFile, '--load-issuer', issuerFile, '--load-trust', trust(session)];
  const { status, stdout, stderr } = await runCommand('ocsptool', ['--ask', ...options, ...files]);
  assert.equal(status, 0, `ocsptool ended with status ${status}: ${lastLines(`${stderr}\n${stdout}`)}`);
  return stdout.toString('latin1');
}

/** It trusts a responder whose certificate was issued by one of these, and looks no further. */
function trust(session: Session): string {
  const { chain, trustAnchor } = session.stack.endpoints;
  return session.write('trust.pem', `${readFileSync(chain, 'latin1')}\n${readFileSync(trustAnchor, 'latin1')}`);
}

function expectStatus(said: string, status: 'good' | 'revoked'): void {
  assert.match(said, new RegExp(`^\\s+Certificate Status: ${status}$`, 'm'));
  assert.match(said, /^Verifying OCSP Response: Success\.$/m, lastLines(said));
}

async function verifyResponse(session: Session): Promise<void> {
  const { certificateFile, issuerFile, ocsp } = await enrollSubject(session, 'good');
  const files = ['--load-cert', certificateFile, '--load-issuer', issuerFile];
  const request = session.file('request.der');
  await output('ocsptool', ['--generate-request', ...files, '--outder', '--outfile', request]);
  const posted = { body: readFileSync(request), contentType: 'application/ocsp-request' };
  const response = session.write('response.der', (await callCurl(session, ocsp, posted)).body);
  const trusted = ['--load-trust', trust(session)];
  const said = await output('ocsptool', ['--verify-response', '--load-response', response, ...trusted]);
  expectStatus(said.toString('latin1'), 'good');
}

async function readShard(session: Session): Promise<void> {
  const { crl, serialNumber } = await enrollSubject(session, 'listed');
  await revoke(session, serialNumber, 'superseded');
  await expectCrlInfo(await untilListed(session, crl, serialNumber, 'Superseded'), serialNumber);
}

async function verifyLists(session: Session): Promise<void> {
  const { chain, trustAnchor } = session.stack.endpoints;
  const { crl } = await enrollSubject(session, 'sharded');
  for (const url of [crlUrl(session, 'issuing'), crl, crlUrl(session, 'issuing-ca')]) {
    await expectVerifiedCrl(session, await fetchCrl(session, url), chain);
  }
  const rootCrl = only((await readPointers(chain)).crls, 'CRL');
  await expectVerifiedCrl(session, await fetchCrl(session, rootCrl), trustAnchor);
}

async function verifyDelta(session: Session): Promise<void> {
  const { crl, issuerFile } = await enrollSubject(session, 'sharded');
  await expectVerifiedCrl(session, await fetchCrl(session, deltaUrl(await fetchCrl(session, crl))), issuerFile);
}

async function verifyWithCrls(session: Session): Promise<void> {
  const { certificateFile, crl, serialNumber } = await enrollSubject(session, 'changing');
  const { chain } = session.stack.endpoints;
  const rootCrl = await fetchCrl(session, only((await readPointers(chain)).crls, 'CRL'));
  assert.match(
    await verifyChain(session, certificateFile, [await fetchCrl(session, crl), rootCrl]),
    /^Chain verification output: Verified\./m,
  );
  await revoke(session, serialNumber, 'superseded');
  const shard = await untilListed(session, crl, serialNumber, 'Superseded');
  assert.match(
    await verifyChain(session, certificateFile, [shard, rootCrl]),
    /^Chain verification output: Not verified\..* revoked\./m,
  );
}
