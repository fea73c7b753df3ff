// What is forgotten of published status, and what is not as long as a relying party may still need it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createManualClock } from '@gatehouse/runtime/clock';
import { createLog } from '@gatehouse/runtime/log';
import { doStatusChores } from '../../src/jobs/status-chores.ts';
import { endedScopes, forgetStatusChanges } from '../../src/jobs/status-retention.ts';
import { firstStatusPosition } from '../../src/store/crl-entries.ts';
import {
  findDeltaBase,
  findNewestCrl,
  forgetCrowdedCrl,
  lastCrlNumber,
  listSignedScopes,
  oldestChangePosition,
  recordCrl,
  type StoredCrl,
  takeCrlNumber,
} from '../../src/store/crls.ts';
import type { Store } from '../../src/store/open-store.ts';
import { lastStatusPosition } from '../../src/store/status-changes.ts';
import { isCoreError } from '../core-error.ts';
import { day, now, openStatusWorkshop } from './status-workshop.ts';

const minute = 60_000;

function crl(number: number, changes: Partial<StoredCrl> = {}): StoredCrl {
  return {
    scope: 'issuing-1',
    number,
    baseNumber: undefined,
    thisUpdate: now,
    nextUpdate: now + 3 * day,
    changePosition: 0,
    entries: 0,
    size: 0,
    sha256: new Uint8Array(32),
    ...changes,
  };
}

function record(store: Store, stored: StoredCrl, at = now): Promise<void> {
  return store.commit({ operations: recordCrl(stored, at), events: [] });
}

async function open() {
  const workshop = await openStatusWorkshop();
  after(workshop.remove);
  return workshop;
}

describe('RFC 5280 §5.2.4: full CRLs as bases of deltas', () => {
  it('stay until they are over, and the oldest of them is the base', async () => {
    const { store } = await open();
    for (const age of [0, 1, 2]) {
      await record(store, crl(1 + age, { thisUpdate: now + age * day, nextUpdate: now + (3 + age) * day }));
    }
    assert.equal(findDeltaBase(store, 'issuing-1', now, 0)?.number, 1);
    assert.equal(findDeltaBase(store, 'issuing-1', now + 3 * day + minute, 0)?.number, 1);
    assert.equal(findDeltaBase(store, 'issuing-1', now + 3 * day + minute + 1, 0)?.number, 2);
    assert.equal(findNewestCrl(store, 'issuing-1', false)?.number, 3);
    await record(store, crl(4, { thisUpdate: now + 5 * day, nextUpdate: now + 9 * day }), now + 4 * day + minute + 1);
    assert.equal(findDeltaBase(store, 'issuing-1', now, 0)?.number, 3);
  });

  it('are kept once a minute, however many there are, and each is completed as long as it lives', async () => {
    const { store } = await open();
    const made = Array.from({ length: 100 }, (_, index) =>
      crl(100 + index, { thisUpdate: now + index * 7000, nextUpdate: now + 3 * day + index * 7000 }),
    );
    const publish = async (full: StoredCrl, fromNumber: number) =>
      await store.commit({
        operations: [...recordCrl(full, full.thisUpdate), forgetCrowdedCrl(full, fromNumber)],
        events: [],
      });
    for (const full of made) {
      await publish(full, 0);
      assert.equal(findNewestCrl(store, 'issuing-1', false)?.number, full.number);
    }
    const kept = await store.kysely.selectFrom('crls').select('number').execute();
    assert.ok(kept.length <= 100 / 8 + 2, `${kept.length} are kept`);
    for (const { number, nextUpdate } of made) {
      const base = findDeltaBase(store, 'issuing-1', nextUpdate, 0);
      assert.ok(base !== undefined && base.number <= number, `${number} cannot be completed`);
    }
  });

  it('are no base for years because the clock was years ahead when they were made', async () => {
    const { store } = await open();
    await record(store, crl(1));
    await record(store, crl(2, { thisUpdate: now + 3650 * day, nextUpdate: now + 3653 * day }));
    await record(store, crl(3, { thisUpdate: now + 1000, nextUpdate: now + 3 * day + 1000 }));
    assert.equal(findDeltaBase(store, 'issuing-1', now, 0)?.number, 1);
    assert.equal(findDeltaBase(store, 'issuing-1', now + 3 * day + minute + 1, 0)?.number, 3);
  });

  it('are kept when what is there before them is no base any more', async () => {
    const { store } = await open();
    for (const number of [1, 2, 3]) {
      const full = crl(number, { nextUpdate: now + 3 * day + number });
      await store.commit({ operations: [...recordCrl(full, now), forgetCrowdedCrl(full, 2)], events: [] });
    }
    assert.equal(findDeltaBase(store, 'issuing-1', now, 2)?.number, 2);
  });

  it('are no base when they say something else of themselves than the delta: both have the same scope', async () => {
    const { store } = await open();
    for (const number of [10, 20, 30]) await record(store, crl(number));
    assert.equal(findDeltaBase(store, 'issuing-1', now, 11)?.number, 20);
    assert.equal(findDeltaBase(store, 'issuing-1', now, 30)?.number, 30);
    assert.equal(findDeltaBase(store, 'issuing-1', now, 31), undefined);
    assert.equal(findDeltaBase(store, 'issuing-1', now + 30 * day, 31), undefined);
  });

  it('leave the newest when all are over', async () => {
    const { store } = await open();
    await record(store, crl(1));
    assert.equal(findDeltaBase(store, 'issuing-1', now + 30 * day, 0)?.number, 1);
  });

  it('are not replaced by deltas, of which only the newest stays', async () => {
    const { store } = await open();
    await record(store, crl(1));
    await record(store, crl(2, { baseNumber: 1 }));
    await record(store, crl(3, { baseNumber: 1 }));
    assert.equal(findNewestCrl(store, 'issuing-1', true)?.number, 3);
    assert.equal(findNewestCrl(store, 'issuing-1', false)?.number, 1);
    const rows = await store.kysely.selectFrom('crls').select('number').execute();
    assert.deepEqual(
      rows.map(({ number }) => number),
      [1, 3],
    );
  });
});

describe('RFC 5280 §5.2.3: numbers of CRLs', () => {
  it('are taken once, and only higher ones', async () => {
    const { store } = await open();
    const take = (number: number) => store.commit({ operations: [takeCrlNumber('issuing-1', number)], events: [] });
    assert.equal(lastCrlNumber(store, 'issuing-1'), 0);
    await take(7);
    await assert.rejects(take(7), isCoreError('conflict'));
    await assert.rejects(take(6), isCoreError('conflict'));
    await take(8);
    assert.equal(lastCrlNumber(store, 'issuing-1'), 8);
    assert.equal(lastCrlNumber(store, 'issuing'), 0);
    assert.deepEqual(listSignedScopes(store), []);
  });
});

describe('changes of status', () => {
  it('are forgotten when every base shows them and they are signed, but for the last', async () => {
    const { store, issue, revoke } = await open();
    for (let count = 0; count < 10; count++) await revoke(await issue());
    const last = lastStatusPosition(store);
    await record(store, crl(1, { scope: 'issuing', changePosition: 8 }));
    await record(store, crl(2, { changePosition: 4 }));
    await record(store, crl(3, { scope: 'root', changePosition: 0 }));
    assert.equal(oldestChangePosition(store, 'root'), 4);
    await forgetStatusChanges(store, 2, 'root');
    assert.equal(firstStatusPosition(store), 2);
    await forgetStatusChanges(store, last, 'root');
    assert.equal(firstStatusPosition(store), 4);
    await record(store, crl(4, { changePosition: last }), now + 4 * day);
    await record(store, crl(5, { scope: 'issuing', changePosition: last }), now + 4 * day);
    await forgetStatusChanges(store, last, 'root');
    assert.equal(firstStatusPosition(store), last);
    assert.equal(lastStatusPosition(store), last);
  });

  it('stay while there is no CRL', async () => {
    const { store, issue, revoke } = await open();
    await revoke(await issue());
    await forgetStatusChanges(store, 100, 'root');
    assert.equal(firstStatusPosition(store), 1);
  });
});

describe('scopes that are not configured any more', () => {
  it('end when a CRL was made after the end of their last certificate', async () => {
    const { store } = await open();
    for (const [scope, number] of [
      ['issuing-1', 1],
      ['issuing-2', 2],
      ['issuing-3', 3],
    ] as const) {
      await record(store, crl(number, { scope }));
    }
    const lastNotAfter = new Map([
      ['issuing-1', now - 1],
      ['issuing-2', now + 1],
      ['issuing-3', now - 1],
    ]);
    const scopes = ['issuing-1', 'issuing-2', 'issuing-3', 'issuing-4'];
    assert.deepEqual(endedScopes(store, scopes, new Set(['issuing-1']), lastNotAfter), ['issuing-3']);
  });

  it('are left out with their CRLs, and those that certificates turn out to name are taken in', async () => {
    const { store } = await open();
    const directory = mkdtempSync(join(tmpdir(), 'gatehouse-chores-'));
    after(() => rmSync(directory, { recursive: true, force: true }));
    await record(store, crl(1, { scope: 'issuing-2' }));
    const removed: string[] = [];
    const added: string[] = [];
    await doStatusChores(
      {
        store,
        clock: createManualClock(new Date(now)),
        log: createLog({ name: 'test', level: 'silent' }),
        folder: directory,
        configured: new Set(['issuing-1']),
        plansOf: (scopes) => {
          added.push(...scopes);
          return [];
        },
        publisher: {
          scopes: () => new Set(['issuing-1', 'issuing-2']),
          remove: (scope) => removed.push(scope),
          add: async () => undefined,
        },
      },
      () =>
        new Map([
          ['issuing-2', now - 1],
          ['issuing-9', now + 1],
        ]),
      0,
    );
    assert.deepEqual([removed, added], [['issuing-2'], ['issuing-9']]);
    assert.equal(findNewestCrl(store, 'issuing-2', false), undefined);
  });

  it('stay as they are when it cannot be read which of them certificates name', async () => {
    const { store } = await open();
    await record(store, crl(1, { scope: 'issuing-2' }));
    const logged: string[] = [];
    await doStatusChores(
      {
        store,
        clock: createManualClock(new Date(now)),
        log: createLog({ name: 'test', level: 'info', destination: { write: (line) => void logged.push(line) } }),
        folder: tmpdir(),
        configured: new Set(),
        plansOf: () => [],
        publisher: { scopes: () => new Set(['issuing-2']), remove: assert.fail, add: () => assert.fail() },
      },
      () => {
        throw new Error('ocsp.db is damaged');
      },
      0,
    );
    assert.equal(findNewestCrl(store, 'issuing-2', false)?.number, 1);
    assert.equal(logged.filter((line) => line.includes('ocsp.db is damaged')).length, 1);
  });
});
