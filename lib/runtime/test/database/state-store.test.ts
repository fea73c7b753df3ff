import assert from 'node:assert/strict';
import { after, describe, it, type TestContext } from 'node:test';
import { DatabaseError, type DatabaseErrorCode } from '@gatehouse/runtime/database/sqlite';
import type { StateOperation, StateStore } from '@gatehouse/runtime/database/state-store';
import { startPostgres } from '@gatehouse/runtime/test-support/postgres';
import { filePlace, type Place, postgresPlace, queries } from '../support/state.ts';

const server = await startPostgres({ after });

const dialects: Record<string, (context: TestContext) => Promise<Place>> = {
  sqlite: async (context) => filePlace(context),
  postgres: (context) => postgresPlace(context, server),
};

for (const [dialect, makePlace] of Object.entries(dialects)) {
  describe(`the state of a gate on ${dialect}`, () => {
    it('keeps text, whole numbers up to 2^53, octets and nothing as they are', async (context) => {
      const store = await (await makePlace(context)).open();
      const body = Uint8Array.of(0, 1, 0xff, 0x27, 0x5c);
      await store.commit([insert('it\'s a ? "name" ♜', Number.MAX_SAFE_INTEGER, body), insert('empty')]);
      const row = await store.one(queries.find, 'it\'s a ? "name" ♜');
      assert.equal(row?.size, Number.MAX_SAFE_INTEGER);
      assert.deepEqual(new Uint8Array(row.body ?? []), body);
      assert.ok(row.body instanceof Uint8Array);
      assert.equal((await store.one(queries.find, 'empty'))?.size, null);
      assert.equal(await store.one(queries.find, 'missing'), undefined);
      assert.equal(store.dialect, dialect);
    });

    it('lists in the order of creation, as far as is asked for', async (context) => {
      const store = await (await makePlace(context)).open();
      await store.commit(['a', 'b', 'c'].map((name) => insert(name)));
      assert.deepEqual(await names(store, 2), ['a', 'b']);
    });

    it('answers a writing statement with its rows', async (context) => {
      const store = await (await makePlace(context)).open();
      const [first] = await store.write(queries.insertReturning, 'a', 1);
      const [second] = await store.write(queries.insertReturning, 'b', 2);
      assert.equal(first?.name, 'a');
      assert.ok((second?.position ?? 0) > (first?.position ?? 0));
      await assert.rejects(store.write(queries.insertReturning, 'a', 3), hasCode('unique'));
    });

    it('undoes a set whole when an operation changes another number of rows', async (context) => {
      const store = await (await makePlace(context)).open();
      await assert.rejects(
        store.commit([insert('a'), resize('nobody', 1, () => new RangeError('not there')), insert('b')]),
        new RangeError('not there'),
      );
      assert.deepEqual(await names(store), []);
    });

    it('undoes a set whole when a statement is refused', async (context) => {
      const store = await (await makePlace(context)).open();
      await store.commit([insert('a')]);
      await assert.rejects(store.commit([insert('b'), insert('a')]), hasCode('unique'));
      await assert.rejects(store.commit([{ ...insert('c'), parameters: [null, 1, null] }]), hasCode('constraint'));
      assert.deepEqual(await names(store), ['a']);
    });

    it('fails with what went wrong first', async (context) => {
      const store = await (await makePlace(context)).open();
      await store.commit([insert('a')]);
      const expected = resize('nobody', 1, () => new RangeError('not there'));
      await assert.rejects(store.commit([expected, insert('a')]), RangeError);
      await assert.rejects(store.commit([insert('a'), expected]), hasCode('unique'));
    });

    it('goes on after a refusal of a statement that was never run before', async (context) => {
      const place = await makePlace(context);
      const store = await place.open();
      await store.commit([insert('a')]);
      const other = await place.open();
      await assert.rejects(other.commit([insert('a'), insert('b')]), hasCode('unique'));
      await other.commit([insert('b')]);
      assert.deepEqual(await names(store), ['a', 'b']);
    });

    it('lets a set that fails take nobody along', async (context) => {
      const store = await (await makePlace(context)).open();
      const outcomes = await Promise.allSettled([
        store.commit([insert('a')]),
        store.commit([insert('b'), resize('nobody', 1, () => new RangeError('not there'))]),
        store.commit([insert('c')]),
        store.write(queries.insertReturning, 'd', 1),
      ]);
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
      );
      assert.deepEqual([...(await names(store))].sort(), ['a', 'c', 'd']);
    });

    it('grants a race for one row to one alone', async (context) => {
      const place = await makePlace(context);
      const copies = [await place.open(), await place.open()];
      await copies[0]?.commit([insert('prize')]);
      const claims = Array.from({ length: 20 }, (_, i) =>
        copies[i % 2]?.write(claim, i + 1).then((rows) => rows.length),
      );
      const won = (await Promise.all(claims)).reduce<number>((sum, count) => sum + (count ?? 0), 0);
      assert.equal(won, 1);
    });

    it('sees at once what another copy has committed', async (context) => {
      const place = await makePlace(context);
      const [one, two] = [await place.open(), await place.open()];
      for (let i = 0; i < 20; i++) {
        await one.commit([insert(`thing ${i}`)]);
        assert.notEqual(await two.one(queries.find, `thing ${i}`), undefined);
      }
    });

    it('refuses a statement that is wrong, and goes on', async (context) => {
      const store = await (await makePlace(context)).open();
      await assert.rejects(store.one({ sql: 'select nonsense' }), hasCode('other'));
      await assert.rejects(
        store.commit([{ sql: 'insert into nowhere values (?)', parameters: [1] }]),
        hasCode('other'),
      );
      await store.commit([insert('a')]);
      assert.equal(store.isHealthy(), true);
    });

    it('finishes what was asked for before it closes', async (context) => {
      const place = await makePlace(context);
      const store = await place.open();
      const commits = ['a', 'b', 'c'].map((name) => store.commit([insert(name)]));
      await Promise.all([...commits, store.close()]);
      assert.equal((await names(await place.open())).length, 3);
    });

    it('refuses numbers that it could not give back', async (context) => {
      const store = await (await makePlace(context)).open();
      await store.commit([
        { sql: `insert into "things" ("name", "size") values ('big', 9007199254740993)`, parameters: [] },
      ]);
      await assert.rejects(store.one(queries.find, 'big'), hasCode('other'));
      assert.equal(store.isHealthy(), true);
    });
  });
}

describe('copies of a gate on postgres', () => {
  it('migrate once when they start together', async (context) => {
    const place = await postgresPlace(context, server);
    const stores = await Promise.all([1, 2, 3].map(() => place.open()));
    await stores[0]?.commit([insert('a')]);
    assert.deepEqual(await names(stores[2] ?? assert.fail()), ['a']);
  });
});

const claim = {
  sql: 'update "things" set "size" = ? where "name" = \'prize\' and "size" is null returning "name"',
};

function insert(name: string, size: number | null = null, body: Uint8Array | null = null): StateOperation {
  return { sql: queries.insert.sql, parameters: [name, size, body] };
}

function resize(name: string, rows: number, otherwise: () => Error): StateOperation {
  return { sql: queries.resize.sql, parameters: [1, name], expects: { rows, otherwise } };
}

async function names(store: StateStore, limit = 100): Promise<readonly string[]> {
  return (await store.all(queries.list, limit)).map(({ name }) => name);
}

function hasCode(code: DatabaseErrorCode) {
  return (error: unknown) => error instanceof DatabaseError && error.code === code;
}
