// Issuance, certificates, incidents and what operators look through, as they are stored, on both databases and from two
// copies of the gate.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DatabaseError } from '@gatehouse/runtime/database/error';
import type { StateStore } from '@gatehouse/runtime/database/state-store';
import { newUnguessableId } from '@gatehouse/runtime/identifiers';
import { StateChangedError } from '../../src/state/authorizations.ts';
import {
  findReplacingOrder,
  insertCertificate,
  markReplaced,
  markRevoked,
  type NewCertificate,
  readCertificateByCertId,
  readCertificateById,
  readCertificateBySerialNumber,
} from '../../src/state/certificates.ts';
import {
  endIncident,
  insertIncident,
  listIncidents,
  readActiveIncidentIds,
  readActiveIncidents,
} from '../../src/state/incidents.ts';
import { countOrdersOf, type findAccount, listAccounts, pageOrders } from '../../src/state/inventory.ts';
import {
  beginIssuance,
  completeOrder,
  failOrder,
  listWaitingOrders,
  postponeIssuance,
  renewIssuance,
  takeIssuance,
} from '../../src/state/issuance.ts';
import { readOrder } from '../../src/state/orders.ts';
import { dialects } from '../support/dialects.ts';
import { storeAccount, storeOrder } from '../support/memory-state.ts';

const now = new Date();
const later = (ms: number) => new Date(now.getTime() + ms);
const finalization = { finalize: '{"payload":"é"}', jwk: '{}', certificationRequest: Uint8Array.of(0, 1, 0xff) };
const lease = (owner: string, ms = 5_000) => ({ owner, until: later(ms) });

const newCertificate = (orderId: string, accountId: string): NewCertificate => ({
  id: newUnguessableId(),
  accountId,
  orderId,
  serialNumber: newUnguessableId(),
  certId: newUnguessableId(),
  certificate: Uint8Array.of(0x30, 0x00, 0xff),
  chain: '["MAA="]',
  notBefore: now,
  notAfter: later(1_000),
});

async function processing(
  store: StateStore,
  owner = 'a',
): Promise<{ readonly id: string; readonly accountId: string }> {
  const account = await storeAccount(store);
  const id = await storeOrder(store, account, ['a.example']);
  await store.commit([beginIssuance(id, finalization, lease(owner), now)]);
  return { id, accountId: account.id };
}

for (const [name, makeState] of Object.entries(dialects)) {
  describe(`RFC 8555 §7.1.6: from ready to valid, on ${name}`, () => {
    it('begins once, only when the order is ready and has not expired', async (context) => {
      const { store } = await makeState(context);
      const account = await storeAccount(store);
      const [pending, expired] = [
        await storeOrder(store, account, ['a.example'], { status: 'pending' }),
        await storeOrder(store, account, ['a.example'], { expiresAt: now }),
      ];
      const { id } = await processing(store);
      for (const one of [pending, expired, id]) {
        await assert.rejects(store.commit([beginIssuance(one, finalization, lease('b'), now)]), StateChangedError);
      }
      const order = await readOrder(store, id);
      assert.deepEqual([order?.status, order?.finalize, order?.attempts], ['processing', finalization.finalize, 1]);
      assert.deepEqual([...(order?.certificationRequest ?? [])], [0, 1, 0xff]);
    });

    it('is taken over by one copy when the lease has ended, and by nobody before', async (context) => {
      const { store, openCopy } = await makeState(context);
      const other = await openCopy();
      const { id } = await processing(store);
      assert.deepEqual(await listWaitingOrders(other, later(4_999), 10), []);
      assert.equal(await takeIssuance(other, id, lease('b'), later(4_999)), undefined);
      assert.deepEqual(await listWaitingOrders(other, later(5_000), 10), [id]);
      const taken = await Promise.all(
        [store, other, store, other].map((one, i) => takeIssuance(one, id, lease(`copy-${i}`, 60_000), later(5_000))),
      );
      const [order, ...more] = taken.filter((one) => one !== undefined);
      assert.equal(more.length, 0);
      assert.equal(order?.attempts, 2);
      assert.equal(await renewIssuance(store, id, lease('a')), false);
      assert.equal(await renewIssuance(store, id, lease(order?.leaseOwner ?? '')), true);
    });

    it('waits when it is put off, and ends valid or invalid by the holder of the lease alone', async (context) => {
      const { store } = await makeState(context);
      const { id, accountId } = await processing(store);
      await store.commit([postponeIssuance(id, 'a', later(9_000))]);
      assert.deepEqual(await listWaitingOrders(store, later(8_999), 10), []);
      await takeIssuance(store, id, lease('b', 20_000), later(9_000));
      const certificate = newCertificate(id, accountId);
      const byA = [completeOrder(id, 'a', certificate.id), insertCertificate(certificate)];
      await assert.rejects(store.commit(byA), StateChangedError);
      assert.equal(await readCertificateById(store, certificate.id), undefined);
      await assert.rejects(store.commit([failOrder(id, 'a', '{}')]), StateChangedError);
      await store.commit([completeOrder(id, 'b', certificate.id), insertCertificate(certificate)]);
      const order = await readOrder(store, id);
      assert.deepEqual([order?.status, order?.certificateId, order?.leaseOwner], ['valid', certificate.id, undefined]);
      await assert.rejects(store.commit([failOrder(id, 'b', '{}')]), StateChangedError);
    });
  });

  describe(`RFC 8555 §7.4.2: certificates, on ${name}`, () => {
    it('are found by id, serial number and certID; an order has one', async (context) => {
      const { store } = await makeState(context);
      const certificate = newCertificate('order', 'account');
      await store.commit([insertCertificate(certificate)]);
      const stored = { ...certificate, revokedAt: undefined, replacedBy: undefined };
      for (const found of [
        await readCertificateById(store, certificate.id),
        await readCertificateByCertId(store, certificate.certId),
        await readCertificateBySerialNumber(store, certificate.serialNumber),
      ]) {
        assert.deepEqual({ ...found, certificate: Uint8Array.from(found?.certificate ?? []) }, stored);
      }
      const second = insertCertificate(newCertificate('order', 'account'));
      await assert.rejects(
        store.commit([second]),
        (error) => error instanceof DatabaseError && error.code === 'unique',
      );
    });

    it('remember the first revocation, and their successor where it is of the same account', async (context) => {
      const { store } = await makeState(context);
      const { serialNumber, certId, ...rest } = newCertificate('order', 'account');
      await store.commit([insertCertificate({ serialNumber, certId, ...rest }), markReplaced(certId, 'stranger', 'x')]);
      await store.commit([markRevoked(serialNumber, now), markRevoked(serialNumber, later(1))]);
      const stored = await readCertificateByCertId(store, certId);
      assert.deepEqual([stored?.revokedAt, stored?.replacedBy], [now, undefined]);
      await store.commit([markReplaced(certId, 'account', 'y')]);
      assert.equal((await readCertificateByCertId(store, certId))?.replacedBy, 'y');
      const account = await storeAccount(store);
      const id = await storeOrder(store, account, ['a.example'], { replaces: certId });
      assert.equal((await findReplacingOrder(store, certId))?.id, id);
      const again = storeOrder(store, account, ['a.example'], { replaces: certId });
      await assert.rejects(again, (error) => error instanceof DatabaseError && error.code === 'unique');
    });
  });

  describe(`RFC 9773 §4.2: incidents, on ${name}`, () => {
    it('are listed newest first, and end once', async (context) => {
      const { store } = await makeState(context);
      const window = { windowStart: now, windowEnd: later(1) };
      const add = async (createdAt: Date) => {
        const id = newUnguessableId();
        const selector = { accounts: ['x'], issuedFrom: 5 };
        await store.commit([insertIncident({ id, selector, explanationUrl: undefined, ...window, createdAt })]);
        return id;
      };
      const [old, young] = [await add(now), await add(later(1))];
      assert.deepEqual(await readActiveIncidentIds(store), [young, old]);
      assert.deepEqual((await readActiveIncidents(store))[0]?.selector, { accounts: ['x'], issuedFrom: 5 });
      assert.equal(await endIncident(store, old, now), true);
      assert.equal(await endIncident(store, old, now), false);
      assert.deepEqual(await readActiveIncidentIds(store), [young]);
      assert.deepEqual(
        (await listIncidents(store, 10)).map(({ id, endedAt }) => [id, endedAt]),
        [
          [young, undefined],
          [old, now],
        ],
      );
    });
  });

  describe(`what operators look through, on ${name}`, () => {
    it('comes a page at a time, each row once', async (context) => {
      const { store } = await makeState(context);
      const accounts = [];
      for (let i = 0; i < 5; i++) accounts.push(await storeAccount(store));
      const [first] = accounts;
      assert.ok(first !== undefined);
      for (let i = 0; i < 3; i++) await storeOrder(store, first, ['a.example']);
      const seen: string[] = [];
      for (let last: Awaited<ReturnType<typeof findAccount>>; ; ) {
        const page = await listAccounts(store, last, 2);
        seen.push(...page.map(({ id }) => id));
        last = page.at(-1);
        if (page.length < 2) break;
      }
      assert.deepEqual(new Set(seen), new Set(accounts.map(({ id }) => id)));
      assert.equal(seen.length, 5);
      assert.deepEqual(await countOrdersOf(store, first.id), { ready: 3 });
      const [newest, ...rest] = await pageOrders(store, first.id, undefined, 10);
      assert.equal(rest.length, 2);
      assert.deepEqual(await pageOrders(store, undefined, newest?.position, 10), rest);
    });
  });
}
