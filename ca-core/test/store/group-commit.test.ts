// Group commit: together on the disk, alone in failure.
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import { CoreError } from '@gatehouse/proto/core-error';
import { systemClock } from '@gatehouse/runtime/clock';
import { readAuditRecords } from '../../src/store/audit-events.ts';
import { findCertificate } from '../../src/store/certificates.ts';
import { createGroupCommit } from '../../src/store/group-commit.ts';
import { findMeta, writeMeta } from '../../src/store/meta.ts';
import type { Store } from '../../src/store/open-store.ts';
import type { WriteSet } from '../../src/store/write-set.ts';
import { certificate, event, eventSet, issuance, openTestStore } from './test-store.ts';

const refusal = new CoreError('conflict', 'no such row');

/** A set whose operation changes no row although it must change one. */
function hopelessSet(): WriteSet {
  const { sql } = writeMeta('unused', '');
  const operation = { sql: sql.replace(/^insert into/, 'insert or ignore into').replace(/ on conflict.*$/, '') };
  return {
    operations: [{ ...operation, parameters: ['instance', 'stolen'], expects: { rows: 1, otherwise: () => refusal } }],
    events: [event({ action: 'ra-added' })],
  };
}

async function settle(store: Store, sets: readonly WriteSet[]): Promise<readonly ('fulfilled' | unknown)[]> {
  const results = await Promise.allSettled(sets.map((set) => store.commit(set)));
  return results.map((result) => (result.status === 'fulfilled' ? 'fulfilled' : result.reason));
}

for (const place of ['on disk', 'in memory'] as const) {
  const test = await openTestStore(place);
  after(() => test.remove());
  const { store } = test;

  describe(`CORE.md, speed: commit in groups, ${place}`, () => {
    it('writes what arrived together in one transaction', async () => {
      const start = store.auditHead().sequence;
      await Promise.all(Array.from({ length: 50 }, () => store.commit(issuance())));
      const records = readAuditRecords(store, store.instance.id, start, 100);
      assert.equal(records.length, 50);
      assert.equal(new Set(records.map(({ at }) => at)).size, 1);
    });

    it('carries operations out in their order', async () => {
      await store.commit({
        operations: [writeMeta('order', 'first'), writeMeta('order', 'second')],
        events: [event()],
      });
      assert.equal(findMeta(store, 'order'), 'second');
    });

    it('splits what is too much for one transaction and decides all of it', async () => {
      const start = store.auditHead().sequence;
      await Promise.all(Array.from({ length: 700 }, () => store.commit(eventSet())));
      assert.equal(store.auditHead().sequence, start + 700);
    });
  });

  describe(`CORE.md, speed: one failing member of a group does not hurt the others, ${place}`, () => {
    for (const position of [0, 3, 7]) {
      it(`undoes only member ${position} of eight`, async () => {
        const sets: WriteSet[] = Array.from({ length: 8 }, () => issuance());
        sets[position] = hopelessSet();
        const start = store.auditHead().sequence;
        const results = await settle(store, sets);
        assert.equal(results[position], refusal);
        assert.equal(results.filter((result) => result === 'fulfilled').length, 7);
        assert.equal(store.auditHead().sequence, start + 7);
        assert.equal(findMeta(store, 'instance'), store.instance.id);
        const actions = readAuditRecords(store, store.instance.id, start, 100).map(({ action }) => action);
        assert.ok(actions.every((action) => action === 'certificate-issued'));
      });
    }

    it('undoes what a member wrote before it failed', async () => {
      const lost = certificate();
      const set = { ...hopelessSet(), operations: [...issuance(lost).operations, ...hopelessSet().operations] };
      const results = await settle(store, [issuance(), set, issuance()]);
      assert.deepEqual(results, ['fulfilled', refusal, 'fulfilled']);
      assert.equal(findCertificate(store, lost.serialNumber), undefined);
    });

    it('tells each of several failing members its own failure', async () => {
      const twice = certificate();
      const results = await settle(store, [issuance(twice), hopelessSet(), issuance(twice), hopelessSet()]);
      assert.equal(results[0], 'fulfilled');
      assert.equal(results[1], refusal);
      assert.equal((results[2] as { code?: string }).code, 'unique');
      assert.equal(results[3], refusal);
    });

    it('undoes all of a lone set of many statements when one of them fails', async () => {
      const lost = Array.from({ length: 100 }, () => certificate());
      const { operations } = hopelessSet();
      const start = store.auditHead().sequence;
      const set = {
        operations: [...lost.flatMap((one) => issuance(one).operations), ...operations],
        events: [event()],
      };
      await assert.rejects(store.commit(set), refusal);
      assert.ok(lost.every(({ serialNumber }) => findCertificate(store, serialNumber) === undefined));
      assert.equal(store.auditHead().sequence, start);
    });

    it('rejects a lone set with its own failure and stays usable', async () => {
      const start = store.auditHead().sequence;
      await assert.rejects(store.commit(hopelessSet()), refusal);
      assert.equal(store.auditHead().sequence, start);
      await store.commit(eventSet());
      assert.equal(store.auditHead().sequence, start + 1);
      assert.equal(store.health(), undefined);
    });
  });
}

describe('CORE.md, speed: nobody waits for the disk who need not', () => {
  const head = { instance: 'test', sequence: 1, mac: new Uint8Array(32) };
  const written = { kind: 'written', head, failures: [] } as const;
  const operationsOf = (count: number): WriteSet => ({
    operations: Array.from({ length: count }, (_, i) => writeMeta(`key-${i}`, 'value')),
    events: [],
  });
  const placeOf = async (sets: readonly WriteSet[], hasThread = true): Promise<readonly string[]> => {
    const places: string[] = [];
    const write = (place: string) => async () => {
      places.push(place);
      return written;
    };
    const { commit } = createGroupCommit({
      writeHere: write('here'),
      writeElsewhere: () => (hasThread ? write('elsewhere') : undefined),
      clock: systemClock,
      onCommitted: () => undefined,
      onOutage: () => assert.fail('there is no outage'),
    });
    await Promise.all(sets.map(commit));
    return places;
  };

  it('a lone set is written here, a group in the other thread', async () => {
    assert.deepEqual(await placeOf([operationsOf(5)]), ['here']);
    assert.deepEqual(await placeOf([operationsOf(5), operationsOf(5)]), ['elsewhere']);
  });

  it('a lone set of many statements is written in the other thread, if there is one', async () => {
    assert.deepEqual(await placeOf([operationsOf(500)]), ['elsewhere']);
    assert.deepEqual(await placeOf([operationsOf(500)], false), ['here']);
  });
});

const test = await openTestStore();
after(() => test.remove());

describe('ARCHITECTURE §1 rule 3: commit before release', () => {
  it('answers only when another connection can read the record', async () => {
    const other = new DatabaseSync(test.file, { readOnly: true });
    const issued = Array.from({ length: 20 }, () => certificate());
    const find = other.prepare('SELECT count(*) AS found FROM certificates WHERE serial_number = ?');
    await Promise.all(
      issued.map(async (one) => {
        await test.store.commit(issuance(one));
        assert.equal(find.get(one.serialNumber)?.found, 1);
      }),
    );
    other.close();
  });

  it('close finishes what was asked for', async () => {
    const issued = Array.from({ length: 30 }, () => certificate());
    const commits = issued.map((one) => test.store.commit(issuance(one)));
    const reopened = await test.reopen();
    await Promise.all(commits);
    for (const { serialNumber } of issued) assert.ok(findCertificate(reopened, serialNumber));
  });

  it('the identity of the instance stays the same', async () => {
    const { id, serialNumberPrefix } = test.store.instance;
    const reopened = await test.reopen();
    assert.match(id, /^[0-9a-f]{16}$/);
    assert.equal(reopened.instance.id, id);
    assert.deepEqual(reopened.instance.serialNumberPrefix, serialNumberPrefix);
    assert.equal(serialNumberPrefix.length, 2);
    assert.ok((serialNumberPrefix[0] ?? 0) >= 0x01 && (serialNumberPrefix[0] ?? 0) <= 0x7f);
  });

  it('the chain goes on where it stood', async () => {
    const before = test.store.auditHead();
    const reopened = await test.reopen();
    assert.deepEqual(reopened.auditHead().sequence, before.sequence);
    await reopened.commit(eventSet());
    assert.equal(reopened.auditHead().sequence, before.sequence + 1);
  });
});
