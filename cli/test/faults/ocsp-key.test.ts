// The key with which the core signs OCSP responses is gone, damaged or over when it starts: it makes another one by itself,
// and clients verify what they are told (RFC 6960 §4.2.2.2).

import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { decodePem } from '@gatehouse/pkix/pem';
import { clockAt } from './support/clock.ts';
import { runCommand } from './support/command.ts';
import { emptyDataDirectory } from './support/data-directory.ts';
import { killNow, startCore, stop } from './support/processes.ts';
import { revokeAll, untilRevoked } from './support/revocations.ts';
import { enrollMany, newStatusSite } from './support/status-site.ts';
import { until } from './support/until.ts';

const dayMs = 86_400_000;

const filesOf = (directory: string) => ({
  key: join(directory, 'ca/ocsp/responder.key.pem'),
  certificate: join(directory, 'ca/ocsp/responder.pem'),
});

/** Serial number of the responder's certificate on the disk. */
function responderOf(directory: string): string {
  const [block] = decodePem(readFileSync(filesOf(directory).certificate, 'utf8'), ['CERTIFICATE']);
  return readCertificate(block?.der ?? new Uint8Array()).serialNumber;
}

describe('the key of the OCSP responder when the core starts', () => {
  test('deleted or damaged: another one is made, and signs what is new', async (context) => {
    const site = await newStatusSite(context);
    const { directory, relyingParty } = site;
    const { key, certificate } = filesOf(directory);
    let core = await site.startCore();
    const gate = await site.startGate();
    const client = site.connect();
    const [good = '', ...others] = await enrollMany(client, 6);
    const faults: readonly (() => void)[] = [
      () => rmSync(join(directory, 'ca/ocsp'), { recursive: true }),
      () => rmSync(key),
      () => truncateSync(key, 100),
      () => writeFileSync(certificate, 'no certificate\n'),
      // A key that is whole and belongs to another certificate.
      () => cpSync(join(directory, 'ca/issuing.key.pem'), key),
    ];
    for (const [index, fault] of faults.entries()) {
      const before = responderOf(directory);
      await stop(core);
      fault();
      core = await site.startCore();
      const after = responderOf(directory);
      assert.notEqual(after, before);
      const revoked = others.slice(index, index + 1);
      await revokeAll(client, revoked);
      await untilRevoked(relyingParty, others.slice(0, index + 1));
      const [status] = await Promise.all(revoked.map((serialNumber) => relyingParty.ocsp(serialNumber)));
      assert.ok(status?.kind === 'revoked' && status.responder === after);
      // What the former one signed is good as long as it lives: its certificate goes along with it.
      assert.equal((await relyingParty.ocsp(good, 'sha256')).kind, 'good');
    }
    await stop(gate);
    await stop(core);
  });

  test('expired: another one is made, and clients verify what it signs', async (context) => {
    const directory = emptyDataDirectory(context);
    const long = clockAt(-20 * dayMs);
    const made = await runCommand(['init', '--data', directory], long);
    assert.equal(made.exitCode, 0, made.errors);
    const first = await startCore(directory, 0, [], long);
    const expired = responderOf(directory);
    await killNow(first.command);

    const site = await newStatusSite(context, directory);
    const { relyingParty } = site;
    const core = await site.startCore();
    await site.startGate();
    const client = site.connect();
    const [good = '', revoked = ''] = await enrollMany(client, 2);
    await revokeAll(client, [revoked]);
    await untilRevoked(relyingParty, [revoked]);
    const status = await until('OCSP says that it is good', async () => {
      const answer = await relyingParty.ocsp(good);
      return answer.kind === 'good' && answer;
    });
    assert.notEqual(status.responder, expired);
    assert.equal(status.responder, responderOf(directory));
    await stop(core);
  });
});
