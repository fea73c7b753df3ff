// The core's memory of status is gone, old or from another time: restored from a backup, its cache of OCSP responses lost
// or damaged, made by a clock that was wrong. What relying parties see never goes back, and comes forward again.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { clockAt } from './support/clock.ts';
import { assertNumbers, type SeenCrl, watchCrls } from './support/crl-witness.ts';
import { killNow, stop } from './support/processes.ts';
import { revokeAll, untilRevoked } from './support/revocations.ts';
import { enrollMany, newStatusSite, type StatusSite } from './support/status-site.ts';
import { until } from './support/until.ts';

const hourMs = 3_600_000;

/** What the core writes. */
const coreState = /^(core\.db.*|ocsp\.db.*|crl|audit|ca)$/;

/** Copies what a backup of the core has, while it is stopped. */
function backUp(context: TestContext, directory: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'gatehouse-backup-'));
  context.after(() => rmSync(copy, { recursive: true, force: true }));
  for (const name of readdirSync(directory).filter((file) => coreState.test(file))) {
    cpSync(join(directory, name), join(copy, name), { recursive: true });
  }
  return copy;
}

function restore(copy: string, directory: string): void {
  for (const name of readdirSync(directory).filter((file) => coreState.test(file))) {
    rmSync(join(directory, name), { recursive: true });
  }
  cpSync(copy, directory, { recursive: true });
}

function responseFiles(directory: string): readonly string[] {
  return readdirSync(directory)
    .filter((file) => file.startsWith('ocsp.db'))
    .map((file) => join(directory, file));
}

/** Waits until these are good by OCSP, with a response that was signed after a time. */
async function untilGood({ relyingParty }: StatusSite, serialNumbers: readonly string[], after = 0): Promise<void> {
  for (const serialNumber of serialNumbers) {
    await until(`OCSP says that ${serialNumber} is good`, async () => {
      const status = await relyingParty.ocsp(serialNumber);
      return status.kind === 'good' && status.thisUpdate.getTime() >= after;
    });
  }
}

/** Numbers at the gate never go back. */
function assertRising(seen: readonly SeenCrl[]): void {
  const last = new Map<string, bigint>();
  for (const { name, number } of seen.filter(({ where }) => where === 'gate')) {
    assert.ok(number > (last.get(name) ?? 0n), `${name}: ${number} follows ${last.get(name)}`);
    last.set(name, number);
  }
}

describe('the core goes on from another state than it had', () => {
  test('restored from a backup: numbers go on rising, and every later revocation is seen', async (context) => {
    const site = await newStatusSite(context);
    const { directory, relyingParty } = site;
    let core = await site.startCore();
    await site.startGate();
    const client = site.connect();
    const [before = '', lost = '', ...later] = await enrollMany(client, 8);
    await revokeAll(client, [before]);
    await untilRevoked(relyingParty, [before]);
    await stop(core);
    const copy = backUp(context, directory);

    core = await site.startCore();
    const witness = watchCrls(context, site);
    // More is signed now than right after the backup was restored: positions alone tell nobody what is new.
    await enrollMany(client, 20);
    await revokeAll(client, [lost]);
    await untilRevoked(relyingParty, [before, lost]);
    await killNow(core);
    restore(copy, directory);

    core = await site.startCore();
    const operator = site.connectOperator();
    const held = await relyingParty.crl('issuing-1');
    const restored = await until('the core has looked at its CRLs', async () => {
      const crls = await operator.administration.listCrls();
      return crls.find(({ scope, isDelta }) => scope === 'issuing-1' && !isDelta);
    });
    assert.ok(typeof held !== 'number');
    assert.ok(BigInt(restored.crlNumber) < (held.crlNumber ?? 0n), 'the backup has the same CRL');
    for (const serialNumber of later) {
      await revokeAll(client, [serialNumber]);
      await untilRevoked(relyingParty, [before, serialNumber]);
    }
    assertRising(await witness.close());
    assert.equal((await operator.administration.verifyAudit()).firstBreak, undefined);
    await stop(core);
  });

  test('its OCSP responses deleted or damaged while it was stopped: all are signed anew', async (context) => {
    const site = await newStatusSite(context);
    const { directory, relyingParty } = site;
    let core = await site.startCore();
    await site.startGate();
    const client = site.connect();
    const [good = '', ...others] = await enrollMany(client, 5);
    const revoked: string[] = [];
    const faults: readonly ((file: string) => void)[] = [
      (file) => rmSync(file),
      (file) => (file.endsWith('.db') ? rmSync(file) : undefined),
      (file) => writeFileSync(file, Buffer.alloc(8192, 0xa5)),
      (file) => truncateSync(file, Math.floor(readFileSync(file).length / 2)),
    ];
    for (const [index, fault] of faults.entries()) {
      await revokeAll(client, others.slice(index, index + 1));
      revoked.push(...others.slice(index, index + 1));
      await untilRevoked(relyingParty, revoked);
      await (index % 2 === 0 ? stop(core) : killNow(core));
      for (const file of responseFiles(directory)) fault(file);
      const startedAt = Math.floor(Date.now() / 1000) * 1000;
      core = await site.startCore();
      await untilGood(site, [good], index < 2 ? startedAt : 0);
    }
    await untilRevoked(relyingParty, revoked);
    await stop(core);
  });

  test('started with a clock 30 hours ahead, and then with the right one', async (context) => {
    const site = await newStatusSite(context);
    const { relyingParty } = site;
    let core = await site.startCore();
    await site.startGate();
    const client = site.connect();
    const [good = '', early = '', late = ''] = await enrollMany(client, 3);
    await revokeAll(client, [early]);
    await untilRevoked(relyingParty, [early]);
    await untilGood(site, [good]);
    await stop(core);

    const witness = watchCrls(context, site);
    core = await site.startCore(clockAt(30 * hourMs));
    await until('CRLs are made that are dated ahead', async () => {
      const numbers = witness.seen().filter(({ where }) => where === 'core');
      return new Set(numbers.map(({ name }) => name)).size === 6 && numbers.some(isAhead);
    });
    await killNow(core);

    core = await site.startCore();
    await revokeAll(client, [late]);
    await untilRevoked(relyingParty, [early, late]);
    await untilGood(site, [good]);
    const crl = await relyingParty.crl('issuing-1');
    assert.ok(typeof crl !== 'number' && crl.thisUpdate.getTime() <= Date.now() + 1000);
    const seen = await witness.close();
    await assertNumbers(seen, site.connectOperator());
    const { thisUpdate } = await relyingParty
      .ocsp(good)
      .then((status) => (status.kind === 'good' ? status : assert.fail()));
    assert.ok(thisUpdate.getTime() <= Date.now() + 1000);
    await stop(core);
  });
});

/** Numbers are made from the time. */
function isAhead({ number }: SeenCrl): boolean {
  return number > BigInt(Date.now() + 24 * hourMs);
}
