// strongSwan's pki --verify --online: it finds responders, CRLs and deltas in the certificates by itself, as a VPN gateway
// does with each peer.

import assert from 'node:assert/strict';
import type { Client } from '../client.ts';
import { lastLines, runCommand } from '../command.ts';
import type { Session } from '../session.ts';
import { fetchCrl } from '../status/crl-files.ts';
import { untilListed } from '../status/expect-crl.ts';
import { untilStatus } from '../status/expect-ocsp.ts';
import { hold, release, revoke } from '../status/operator.ts';
import { enrollSubject, type Subject } from '../status/subject.ts';
import { strongSwan } from './strongswan.ts';

const online = 'RFC 5280 §6.3, RFC 6960 §4.2.2.2';

/** strongSwan's pki --verify. */
export const strongSwanOnline: Client = {
  name: 'strongSwan pki --verify --online',
  gate: 'status',
  version: strongSwan.version,
  operations: [
    { name: 'OCSP for the certificate, the CRL for its issuer: good', section: online, run: expectGood },
    { name: 'OCSP: revoked', section: online, run: expectRevokedByOcsp },
    { name: 'OCSP: on hold, then good again', section: online, run: expectHeld },
    { name: 'CRLs alone: good, then revoked', section: 'RFC 5280 §6.3', run: expectRevokedByCrl },
  ],
};

async function expectGood(session: Session): Promise<void> {
  const { status, said } = await verify(session, await enrollSubject(session, 'good'));
  assert.equal(status, 0, lastLines(said));
  assert.match(said, /certificate trusted, lifetimes valid, certificate not revoked/);
  assert.match(said, /ocsp response correctly signed by/);
  assert.match(said, /crl correctly signed by/);
  assert.equal(said.match(/^certificate status is good$/gm)?.length, 2, 'of the certificate and of its issuer');
}

async function expectRevokedByOcsp(session: Session): Promise<void> {
  const subject = await enrollSubject(session, 'revoked');
  await revoke(session, subject.serialNumber, 'key-compromise');
  await untilStatus(session, subject, 'revoked');
  await expectRefused(session, subject, /certificate was revoked on .*, reason: key compromise/);
}

async function expectHeld(session: Session): Promise<void> {
  const subject = await enrollSubject(session, 'suspended');
  await hold(session, subject.serialNumber);
  await untilStatus(session, subject, 'revoked');
  await expectRefused(session, subject, /certificate is on hold since|reason: certificate hold/);
  await release(session, subject.serialNumber);
  await untilStatus(session, subject, 'good');
  assert.equal((await verify(session, subject)).status, 0);
}

async function expectRevokedByCrl(session: Session): Promise<void> {
  const subject = await enrollSubject(session, 'changing');
  const before = await verify(session, subject, withoutOcsp);
  assert.equal(before.status, 0, lastLines(before.said));
  assert.doesNotMatch(before.said, /ocsp/);
  assert(before.said.includes(`fetching crl from '${subject.crl}'`), 'the CRL that the certificate names must be used');
  const { contents } = await fetchCrl(session, subject.crl);
  assert(before.said.includes(`fetching crl from '${contents.freshest}'`), 'the delta that the CRL names must be used');
  await revoke(session, subject.serialNumber, 'superseded');
  await untilListed(session, subject.crl, subject.serialNumber, 'Superseded');
  const after = await verify(session, subject, withoutOcsp);
  assert.notEqual(after.status, 0);
  assert.match(after.said, /certificate was revoked on .*, reason: superseded/);
}

async function expectRefused(session: Session, subject: Subject, form: RegExp): Promise<void> {
  const { status, said } = await verify(session, subject);
  assert.notEqual(status, 0, 'pki --verify must fail');
  assert.match(said, form, lastLines(said));
}

const withoutOcsp = 'pki {\n  plugins {\n    revocation {\n      enable_ocsp = no\n    }\n  }\n}\n';

async function verify(session: Session, { certificateFile, issuerFile }: Subject, configuration = '') {
  const { trustAnchor } = session.stack.endpoints;
  const parameters = ['--verify', '--in', certificateFile, '--cacert', trustAnchor, '--cacert', issuerFile, '--online'];
  // What is configured on the machine for its own VPN has no part in it.
  const environment = { STRONGSWAN_CONF: session.write('strongswan.conf', configuration), TZ: 'UTC' };
  const { status, stdout, stderr } = await runCommand('pki', parameters, { environment });
  return { status, said: `${stdout}${stderr}` };
}
