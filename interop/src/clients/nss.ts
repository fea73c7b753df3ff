// NSS, the library of Firefox and Thunderbird, and of the directory servers of Red Hat, by its own tools: certificates in a
// database, the responder found by what they say, and CRLs that are brought in by hand. It reads no CRL with a critical
// issuingDistributionPoint, which is what the complete CRL is there for.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import type { Client } from '../client.ts';
import { lastLines, output, runCommand } from '../command.ts';
import { eventually } from '../patience.ts';
import type { Session } from '../session.ts';
import { crlUrl } from '../status/crl-files.ts';
import { fetchVerified, untilListed } from '../status/expect-crl.ts';
import { untilStatus } from '../status/expect-ocsp.ts';
import { hold, release, revoke } from '../status/operator.ts';
import { readPointers } from '../status/pointers.ts';
import { enrollSubject, only, type Subject } from '../status/subject.ts';

/** NSS. */
export const nssClient: Client = {
  name: 'NSS ocspclnt, vfychain and crlutil',
  gate: 'status',
  version: async () => {
    // Its tools do not tell theirs.
    const said = (await output('dpkg-query', ['--status', 'libnss3-tools'])).toString('latin1');
    const version = /^Version: (?:\d+:)?([\d.]+)/m.exec(said)?.[1];
    assert(version !== undefined, 'dpkg-query names no version');
    return version;
  },
  operations: [
    { name: 'ocspclnt -V: good, revoked', section: 'RFC 6960 §2.2', run: askChange },
    { name: 'ocspclnt -V: on hold, released', section: 'RFC 6960 §2.2', run: askHold },
    { name: 'vfychain with fresh OCSP: good, revoked', section: 'RFC 5280 §6.1', run: verifyChain },
    {
      name: 'crlutil -I and certutil -V: the complete CRL and that of the root',
      section: 'RFC 5280 §6.3',
      run: importCrls,
    },
  ],
};

const revoked = /Peer's Certificate has been revoked/;

async function askChange(session: Session): Promise<void> {
  const { subject, database } = await openDatabase(session);
  await expectOcsp(database, /succeeded/);
  await revoke(session, subject.serialNumber, 'key-compromise');
  await untilStatus(session, subject, 'revoked');
  await expectOcsp(database, revoked);
}

async function askHold(session: Session): Promise<void> {
  const { subject, database } = await openDatabase(session);
  await hold(session, subject.serialNumber);
  await untilStatus(session, subject, 'revoked');
  await expectOcsp(database, revoked);
  await release(session, subject.serialNumber);
  await untilStatus(session, subject, 'good');
  await expectOcsp(database, /succeeded/);
}

async function expectOcsp(database: string, form: RegExp): Promise<void> {
  const { stdout, stderr } = await runCommand('ocspclnt', ['-V', 'leaf', '-u', 's', '-d', database]);
  assert.match(`${stdout}${stderr}`, form, lastLines(stderr));
}

async function verifyChain(session: Session): Promise<void> {
  const { subject, database } = await openDatabase(session);
  const fresh = ['-g', 'leaf', '-h', 'requireFreshInfo', '-m', 'ocsp', '-s', 'failIfNoInfo'];
  const files = ['-a', subject.certificateFile, '-a', subject.issuerFile];
  const verify = () => runCommand('vfychain', ['-d', database, '-pp', '-u', '1', ...fresh, ...files]);
  const before = await verify();
  assert.equal(before.status, 0, lastLines(`${before.stdout}${before.stderr}`));
  await revoke(session, subject.serialNumber, 'superseded');
  await untilStatus(session, subject, 'revoked');
  const after = await verify();
  assert.notEqual(after.status, 0);
  assert.match(`${after.stdout}${after.stderr}`, revoked);
}

async function importCrls(session: Session): Promise<void> {
  const { subject, database } = await openDatabase(session);
  const { chain, trustAnchor } = session.stack.endpoints;
  const root = await fetchVerified(session, only((await readPointers(chain)).crls, 'CRL'), trustAnchor);
  const before = await fetchVerified(session, crlUrl(session, 'issuing'), chain);
  for (const { file } of [root, before]) await output('crlutil', ['-I', '-t', '1', '-i', file, '-d', database]);
  const verify = () => runCommand('certutil', ['-V', '-n', 'leaf', '-u', 'V', '-d', database]);
  assert.equal((await verify()).status, 0);
  // Times in CRLs are in seconds (RFC 5280 §5.1.2.4), and it takes one only when it is later than the one that it has.
  const nextSecond = before.contents.thisUpdate.getTime() + 1000;
  await eventually(
    () => Promise.resolve(Date.now()),
    (now) => now >= nextSecond,
  );
  await revoke(session, subject.serialNumber, 'superseded');
  const { file } = await untilListed(session, crlUrl(session, 'issuing'), subject.serialNumber, 'Superseded');
  await output('crlutil', ['-I', '-t', '1', '-i', file, '-d', database]);
  const after = await verify();
  assert.match(`${after.stdout}${after.stderr}`, revoked);
}

/** A database with the trust anchor, the issuing CA and a new certificate. */
async function openDatabase(session: Session): Promise<{ readonly subject: Subject; readonly database: string }> {
  const subject = await enrollSubject(session, 'leaf');
  const { chain, trustAnchor } = session.stack.endpoints;
  mkdirSync(session.file('nss'));
  const database = `sql:${session.file('nss')}`;
  await output('certutil', ['-N', '--empty-password', '-d', database]);
  const add = (name: string, trust: string, file: string) =>
    output('certutil', ['-A', '-n', name, '-t', trust, '-i', file, '-d', database]);
  await add('root', 'C,,', trustAnchor);
  await add('ca', ',,', chain);
  await add('leaf', ',,', subject.certificateFile);
  return { subject, database };
}
