// The status gate goes on alone: before the core is there, while it is away, and after the gate itself was killed.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { RevocationReason } from '@gatehouse/proto/types';
import { assertNumbers, watchCrls } from './support/crl-witness.ts';
import { killNow, stop } from './support/processes.ts';
import { missingOn } from './support/relying-party.ts';
import { revokeAll, untilRevoked } from './support/revocations.ts';
import { enrollMany, newStatusSite, type StatusSite } from './support/status-site.ts';
import { until } from './support/until.ts';

const reason = RevocationReason.REVOCATION_REASON_KEY_COMPROMISE;
const gateKills = 5;

/** Waits until the gate has everything: both certificates, and the CRL that lists the second. */
async function untilServed({ relyingParty }: StatusSite, good: string, revoked: string): Promise<void> {
  await until('the gate serves all that there is', async () => {
    const crl = await relyingParty.crl('issuing-1');
    const isListed = typeof crl !== 'number' && missingOn(crl, [revoked]).length === 0;
    return isListed && (await serves(relyingParty, good, revoked));
  });
}

async function serves(relyingParty: StatusSite['relyingParty'], good: string, revoked: string): Promise<boolean> {
  const [first, second] = [await relyingParty.ocsp(good), await relyingParty.ocsp(revoked, 'sha256')];
  return first.kind === 'good' && second.kind === 'revoked' && second.reason === reason;
}

/** Waits until the gate has everything that there is, also what nobody has asked for yet. */
async function untilReady(site: StatusSite): Promise<void> {
  await until('the gate is ready', async () => /^200 .*"ready"/.test(await site.readiness()));
}

/** Whether the copy on the gate's disk goes as far as the responses of a core that does not run. */
function isCopied(directory: string): boolean {
  const read = (file: string, sql: string): number => {
    const database = new DatabaseSync(join(directory, file), { readOnly: true });
    try {
      return Number(database.prepare(sql).get()?.position);
    } finally {
      database.close();
    }
  };
  const signed = read('ocsp.db', 'select position from progress');
  return signed === read('status/responses.db', "select value as position from meta where key = 'position'");
}

describe('the status gate without the core', () => {
  test('started first, says later to everybody, and serves as soon as the core is there', async (context) => {
    const site = await newStatusSite(context);
    const gate = await site.startGate();
    const { relyingParty } = site;
    assert.equal((await relyingParty.ocsp('01')).kind, 'tryLater');
    for (const name of ['issuing', 'issuing-1', 'issuing-1-delta']) assert.equal(await relyingParty.crl(name), 503);
    assert.match(await site.readiness(), /^503 .*nothing has been loaded from the CA core yet/);
    assert.equal(await site.metric('status_core_reachable'), 0);

    await site.startCore();
    const client = site.connect();
    const [good = '', revoked = ''] = await enrollMany(client, 2);
    await client.revoke({ serialNumber: revoked, reason });
    await untilServed(site, good, revoked);
    await untilReady(site);
    assert.equal(await site.metric('status_core_reachable'), 1);
    await stop(gate);
  });

  test('serves on while the core is away and says so, also after it was killed itself', async (context) => {
    const site = await newStatusSite(context);
    const { relyingParty } = site;
    let core = await site.startCore();
    let gate = await site.startGate();
    const client = site.connect();
    const [good = '', revoked = '', late = ''] = await enrollMany(client, 3);
    await client.revoke({ serialNumber: revoked, reason });
    await untilServed(site, good, revoked);
    await untilReady(site);
    // What the core signs and nobody fetches before it dies, nobody can have.
    await until('the copy of the gate has all that the core has signed', async () => isCopied(site.directory));

    await killNow(core);
    await until('the gate says that it is alone', async () => {
      return /^200 .*degraded.*what is held is served on/.test(await site.readiness());
    });
    assert.equal(await site.metric('status_core_reachable'), 0);
    await untilServed(site, good, revoked);

    await killNow(gate);
    gate = await site.startGate();
    // It had told its clients so already: nothing of it may be missing now, and there is nobody to ask.
    assert.ok(await serves(relyingParty, good, revoked));
    for (const name of ['issuing', 'issuing-1', 'issuing-1-delta', 'issuing-ca']) {
      const crl = await relyingParty.crl(name);
      assert.ok(typeof crl !== 'number', `${name}: ${crl}`);
    }
    const shard = await relyingParty.crl('issuing-1');
    assert.deepEqual(typeof shard === 'number' ? shard : missingOn(shard, [revoked]), []);
    assert.match(await site.readiness(), /^200 .*degraded.*what is held is served on/);

    core = await site.startCore();
    await client.revoke({ serialNumber: late, reason });
    await untilServed(site, good, late);
    await untilReady(site);
    assert.equal(await site.metric('status_core_reachable'), 1);
    await stop(gate);
    await stop(core);
  });

  test('killed while revocations go on, never serves an older CRL than before', async (context) => {
    const site = await newStatusSite(context);
    const core = await site.startCore();
    let gate = await site.startGate();
    const client = site.connect();
    const certificates = await enrollMany(client, 3 * gateKills);
    const witness = watchCrls(context, site);
    for (let kill = 0; kill < gateKills; kill++) {
      const next = certificates.slice(3 * kill, 3 * kill + 3);
      // One is visible, one about to be, and one comes while the gate is away.
      await revokeAll(client, next.slice(0, 1));
      await untilRevoked(site.relyingParty, next.slice(0, 1));
      await revokeAll(client, next.slice(1, 2));
      await killNow(gate);
      await revokeAll(client, next.slice(2));
      gate = await site.startGate();
    }
    await untilRevoked(site.relyingParty, certificates);
    const seen = await witness.close();
    await assertNumbers(seen, site.connectOperator());
    context.diagnostic(`${seen.filter(({ where }) => where === 'gate').length} CRLs seen at the gate`);
    await stop(gate);
    await stop(core);
  });
});
