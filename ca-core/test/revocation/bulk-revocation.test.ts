// Issue 3, bulk revocation: each certificate that is meant once, none left out, whatever comes between.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { CoreError } from '@gatehouse/proto/core-error';
import { RevocationReason } from '@gatehouse/proto/types';
import { stopBulkRevocation } from '../../src/administration/bulk-revocations.ts';
import { largestPage } from '../../src/revocation/bulk-page.ts';
import { isKeyBlocked } from '../../src/store/blocked-keys.ts';
import { findBulkRevocation } from '../../src/store/bulk-revocations.ts';
import { findCertificate } from '../../src/store/certificates.ts';
import type { Store } from '../../src/store/open-store.ts';
import { holdCertificate, revokeCertificate } from '../../src/store/revocations.ts';
import type { WriteSet } from '../../src/store/write-set.ts';
import { isCoreError } from '../core-error.ts';
import { event } from '../store/test-store.ts';
import { assertChangedOnce, ended, openWorkshop, operator, type Workshop } from './workshop.ts';

const superseded = RevocationReason.REVOCATION_REASON_SUPERSEDED;
const compromise = RevocationReason.REVOCATION_REASON_KEY_COMPROMISE;
const hold = RevocationReason.REVOCATION_REASON_CERTIFICATE_HOLD;
const release = RevocationReason.REVOCATION_REASON_REMOVE_FROM_CRL;
const pages = 7;
const many = pages * largestPage + 50;
const everything = { profile: 'tls-server' };

async function open(context: TestContext, wrap?: (store: Store) => Store): Promise<Workshop> {
  const workshop = await openWorkshop(wrap);
  context.after(() => workshop.close());
  return workshop;
}

const by = (reason: number, revokedAt: Date) => (serialNumber: string) => ({
  serialNumber,
  reason,
  revokedAt,
  actor: 'somebody',
});

/** Revokes or holds certificates otherwise. */
async function change(store: Store, serialNumbers: readonly string[], reason: number): Promise<void> {
  const write = reason === hold ? holdCertificate : revokeCertificate;
  const revocations = serialNumbers.map(by(reason, new Date('2026-05-01T12:00:00Z')));
  await store.commit({ operations: revocations.flatMap(write), events: [event({ action: 'status-changed' })] });
}

describe('a bulk revocation', () => {
  it('changes what is meant, once, with one event each and one at its start and end', async (context) => {
    const { test, jobs, record, start, told } = await open(context);
    const meant = await record(many);
    const others = await record(20, { profile: 'tls-client' });
    const begun = await start(everything);
    assert.deepEqual([begun.matching, begun.changed], [many, 0]);
    const { state, matching, changed, passedOver, endedAt } = await ended(jobs, begun.id);
    assert.deepEqual(
      { state, matching, changed, passedOver },
      { state: 'done', matching: many, changed: many, passedOver: 0 },
    );
    assert.ok(endedAt !== undefined);
    await assertChangedOnce(test.store, begun.id, meant);
    assert.equal(told(), pages + 1);
    for (const { serialNumber } of meant) {
      assert.equal(findCertificate(test.store, serialNumber)?.revocation?.reason, superseded);
    }
    for (const { serialNumber } of others) {
      assert.equal(findCertificate(test.store, serialNumber)?.revocation, undefined);
    }
    const events = await test.store.kysely
      .selectFrom('audit_events')
      .select(['action', 'actor', 'body'])
      .where('action', 'like', 'bulk-revocation-%')
      .orderBy('sequence')
      .execute();
    assert.deepEqual(
      events.map(({ action, actor, body }) => [action, actor, JSON.parse(body ?? '')]),
      [
        ['bulk-revocation-started', operator, { id: begun.id, query: everything, reason: superseded, matching: many }],
        [
          'bulk-revocation-ended',
          'spiffe://gatehouse.internal/core/test',
          { id: begun.id, matching: many, changed: many, passedOver: 0 },
        ],
      ],
    );
  });

  it('of nothing is done at once', async (context) => {
    const { jobs, start } = await open(context);
    const { id } = await start({ profile: 'none' });
    const { state, matching, changed } = await ended(jobs, id);
    assert.deepEqual({ state, matching, changed }, { state: 'done', matching: 0, changed: 0 });
  });

  it('means no credential of the bridge, nor what the keep certified for itself', async (context) => {
    const { test, jobs, record, start } = await open(context);
    const own = [
      ...(await record(1, { authority: 'service' })),
      ...(await record(1, { profile: 'ocsp-signing', registrationAuthority: '' })),
    ];
    const meant = await record(1);
    for (const selection of [{ registrationAuthority: 'est' }, { authority: 'issuing' }]) {
      const { id } = await start(selection);
      assert.equal((await ended(jobs, id)).matching, 1);
    }
    for (const { serialNumber } of meant) assert.ok(findCertificate(test.store, serialNumber)?.revocation);
    for (const { serialNumber } of own) assert.equal(findCertificate(test.store, serialNumber)?.revocation, undefined);
  });

  it('means no certificate that is issued while it works', async (context) => {
    const { test, jobs, record, start } = await open(context);
    const meant = await record(many);
    const { id } = await start(everything);
    const later: string[] = [];
    for await (const { state } of jobs.watch(id)) {
      if (state === 'running') later.push(...(await record(3)).map(({ serialNumber }) => serialNumber));
    }
    assert.ok(later.length >= 3);
    await assertChangedOnce(test.store, id, meant);
    for (const one of later) assert.equal(findCertificate(test.store, one)?.revocation, undefined);
  });

  it('passes over what is revoked for good, and counts it; what is on hold is revoked', async (context) => {
    const { test, jobs, record, start } = await open(context);
    const meant = (await record(300)).map(({ serialNumber }) => serialNumber);
    await change(test.store, meant.slice(0, 100), 5);
    await change(test.store, meant.slice(100, 200), hold);
    const { id } = await start(everything);
    const { matching, changed, passedOver } = await ended(jobs, id);
    assert.deepEqual({ matching, changed, passedOver }, { matching: 300, changed: 200, passedOver: 100 });
    const reasons = meant.map((one) => findCertificate(test.store, one)?.revocation?.reason);
    assert.deepEqual(reasons, [...Array(100).fill(5), ...Array(200).fill(superseded)]);
  });

  it('leaves out what has expired, and passes over what expires while it works', async (context) => {
    const { test, jobs, record, start } = await open(context);
    const inMs = (ms: number) => ({ notAfter: new Date(test.clock.now().getTime() + ms) });
    await record(5, inMs(-1));
    await record(largestPage);
    await record(5, inMs(1000));
    const { id } = await start(everything);
    test.clock.advance(2000);
    const { matching, changed, passedOver } = await ended(jobs, id);
    assert.deepEqual(
      { matching, changed, passedOver },
      { matching: largestPage + 5, changed: largestPage, passedOver: 5 },
    );
  });

  it('RFC 5280 §5.3.1: for keyCompromise blocks the key of each', async (context) => {
    const { test, jobs, record, start } = await open(context);
    const shared = randomBytes(32);
    const meant = [...(await record(3, { keyFingerprint: shared })), ...(await record(3))];
    const [other] = await record(1, { profile: 'tls-client' });
    await ended(jobs, (await start(everything, compromise)).id);
    for (const { keyFingerprint } of meant) assert.equal(isKeyBlocked(test.store, keyFingerprint), true);
    assert.equal(isKeyBlocked(test.store, other?.keyFingerprint ?? randomBytes(32)), false);
  });

  it('RFC 5280 §5.3.1: holds, and with removeFromCRL releases those on hold and no other', async (context) => {
    const { test, jobs, record, start } = await open(context);
    const meant = (await record(250)).map(({ serialNumber }) => serialNumber);
    await change(test.store, meant.slice(0, 50), superseded);
    const held = await ended(jobs, (await start(everything, hold)).id);
    assert.deepEqual([held.matching, held.changed, held.passedOver], [250, 200, 50]);
    const again = await ended(jobs, (await start(everything, hold)).id);
    assert.deepEqual([again.changed, again.passedOver], [0, 250]);
    await change(test.store, meant.slice(50, 100), superseded);
    const released = await ended(jobs, (await start(everything, release)).id);
    assert.deepEqual([released.matching, released.changed, released.passedOver], [250, 150, 100]);
    const states = meant.map((one) => findCertificate(test.store, one)?.revocation?.state);
    assert.deepEqual(states, [...Array(100).fill('revoked'), ...Array(150).fill(undefined)]);
  });
});

describe('a bulk revocation that is interrupted', () => {
  for (const after of [0, 1, 4]) {
    it(`goes on where it stood when the core is back: stopped after ${after} pages`, async (context) => {
      const workshop = await open(context);
      const meant = await workshop.record(many);
      const { id } = await workshop.start(everything);
      let seen = 0;
      for await (const job of workshop.jobs.watch(id)) {
        if (job.lastPosition >= after * largestPage) break;
        seen = job.changed;
      }
      await workshop.restart();
      const { store } = workshop.test;
      const left = findBulkRevocation(store, id) ?? assert.fail('the job is gone');
      assert.ok(left.changed >= seen, 'what was told was not done');
      await assertChangedOnce(store, id, meant.slice(0, left.changed));
      workshop.jobs.resume();
      const { state, changed } = await ended(workshop.jobs, id);
      assert.deepEqual({ state, changed }, { state: 'done', changed: many });
      await assertChangedOnce(store, id, meant);
    });
  }

  it('tells its watchers that the core stops', async (context) => {
    const { jobs, record, start } = await open(context);
    await record(many);
    const { id } = await start(everything);
    const watching = Array.fromAsync(jobs.watch(id));
    watching.catch(() => undefined);
    await jobs.close();
    await assert.rejects(watching, isCoreError('unavailable'));
  });

  it('tries again when the store could not write', async (context) => {
    let outages = 2;
    const failing = (store: Store): Store => ({
      ...store,
      commit: (set: WriteSet) => {
        if (set.events.length < largestPage || outages === 0) return store.commit(set);
        outages -= 1;
        return Promise.reject(new CoreError('unavailable', 'the disk is full'));
      },
    });
    const { test, jobs, record, start } = await open(context, failing);
    const meant = await record(many);
    const { id } = await start(everything);
    assert.equal((await ended(jobs, id)).changed, many);
    assert.equal(outages, 0);
    await assertChangedOnce(test.store, id, meant);
  });
});

describe('a bulk revocation that is overtaken', () => {
  for (const reason of [superseded, hold]) {
    it(`by a revocation between reading and writing a page passes that one over; reason ${reason}`, async (context) => {
      const overtaken: string[] = [];
      let candidates: readonly string[] = [];
      // Somebody else's revocation of one of the page is committed first, for each page that is tried.
      const racing = (store: Store): Store => ({
        ...store,
        commit: async (set: WriteSet) => {
          const meant = set.events.flatMap(({ serialNumber }) => serialNumber ?? []);
          const victim = meant[Math.floor(meant.length / 2)];
          if (victim !== undefined && candidates.includes(victim) && overtaken.length < 12) {
            overtaken.push(victim);
            await change(store, [victim], 5);
          }
          await store.commit(set);
        },
      });
      const { test, jobs, record, start } = await open(context, racing);
      const meant = await record(many);
      candidates = meant.map(({ serialNumber }) => serialNumber);
      const { id } = await start(everything, reason);
      const { changed, passedOver } = await ended(jobs, id);
      assert.deepEqual([changed, passedOver], [many - 12, 12]);
      await assertChangedOnce(
        test.store,
        id,
        meant.filter(({ serialNumber }) => !overtaken.includes(serialNumber)),
      );
      for (const one of overtaken) assert.equal(findCertificate(test.store, one)?.revocation?.reason, 5);
    });
  }

  it('by revocations from outside while it works leaves none out and takes none twice', async (context) => {
    const { test, jobs, record, start } = await open(context);
    const meant = await record(many);
    const { id } = await start(everything);
    // From the other end, until they meet.
    const others: string[] = [];
    for (const { serialNumber } of [...meant].reverse()) {
      try {
        await change(test.store, [serialNumber], 5);
        others.push(serialNumber);
      } catch (error) {
        if (!isCoreError('already-revoked')(error)) throw error;
        break;
      }
    }
    const { changed, passedOver } = await ended(jobs, id);
    assert.deepEqual([changed, passedOver], [many - others.length, others.length]);
    await assertChangedOnce(
      test.store,
      id,
      meant.filter(({ serialNumber }) => !others.includes(serialNumber)),
    );
  });
});

describe('two bulk revocations at the same time', () => {
  it('change each certificate once between them', async (context) => {
    const { test, jobs, record, start } = await open(context);
    const meant = await record(many);
    const [first, second] = await Promise.all([start(everything), start({ registrationAuthority: 'est' })]);
    const [one, other] = await Promise.all([ended(jobs, first.id), ended(jobs, second.id)]);
    assert.equal(one.changed + other.changed, many);
    assert.deepEqual([one.changed + one.passedOver, other.changed + other.passedOver], [many, many]);
    for (const { serialNumber } of meant) {
      assert.equal(findCertificate(test.store, serialNumber)?.revocation?.state, 'revoked');
    }
  });
});

describe('stopping a bulk revocation', () => {
  it('leaves what is changed, is told to watchers and lasts', async (context) => {
    const workshop = await open(context);
    const { test, jobs, record, start } = workshop;
    const meant = await record(many);
    const { id } = await start(everything);
    const parts = { store: test.store, clock: test.clock };
    const seen: string[] = [];
    for await (const { state, changed } of jobs.watch(id)) {
      seen.push(state);
      if (changed > 0 && state === 'running') await stopBulkRevocation(parts, jobs, operator, id);
    }
    assert.equal(seen.at(-1), 'stopped');
    await workshop.restart();
    workshop.jobs.resume();
    const { state, changed, endedAt, lastPosition } = await ended(workshop.jobs, id);
    assert.equal(state, 'stopped');
    assert.ok(endedAt !== undefined && changed > 0 && changed < many);
    const done = meant.slice(0, lastPosition);
    assert.equal(done.length, changed);
    await assertChangedOnce(workshop.test.store, id, done);
    const [last] = await workshop.test.store.kysely
      .selectFrom('audit_events')
      .select(['action', 'actor', 'body'])
      .orderBy('sequence', 'desc')
      .limit(1)
      .execute();
    assert.deepEqual([last?.action, last?.actor], ['bulk-revocation-ended', operator]);
    assert.equal(JSON.parse(last?.body ?? '').changed, changed);
  });

  it('that is over changes nothing', async (context) => {
    const { test, jobs, record, start } = await open(context);
    await record(5);
    const { id } = await start(everything);
    const over = await ended(jobs, id);
    const { state, changed, endedAt } = await stopBulkRevocation(
      { store: test.store, clock: test.clock },
      jobs,
      operator,
      id,
    );
    assert.deepEqual([state, changed, endedAt], [2, 5, over.endedAt]);
  });
});
