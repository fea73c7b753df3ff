import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { freeBytes } from '@gatehouse/runtime/database/disk-space';
import { openSqlite } from '@gatehouse/runtime/database/sqlite';
import { StatementCache } from '@gatehouse/runtime/database/sqlite-statements';
import { temporaryDirectory } from '../support/directory.ts';
import { hasCode, item, open, type Tables } from '../support/items.ts';

describe('SQLite: durability settings', () => {
  test('a write-ahead log, synced at each commit, foreign keys on, five seconds of patience', async (context) => {
    const { raw } = await open(context, join(temporaryDirectory(context), 'core.db'));
    assert.equal(raw.prepare('PRAGMA journal_mode').get()?.journal_mode, 'wal');
    assert.equal(raw.prepare('PRAGMA synchronous').get()?.synchronous, 2);
    assert.equal(raw.prepare('PRAGMA foreign_keys').get()?.foreign_keys, 1);
    assert.equal(raw.prepare('PRAGMA busy_timeout').get()?.timeout, 5000);
  });

  test('the file and its log are for the owner only, whatever the umask', async (context) => {
    const file = join(temporaryDirectory(context), 'core.db');
    const umask = process.umask(0);
    context.after(() => process.umask(umask));
    const { kysely } = await open(context, file);
    await kysely.insertInto('item').values(item(1)).execute();
    for (const name of [file, `${file}-wal`, `${file}-shm`]) assert.equal(statSync(name).mode & 0o777, 0o600, name);
  });
});

describe('SQLite: values', () => {
  test('come back as they went in', async (context) => {
    const { kysely } = await open(context);
    const time = Date.UTC(2125, 0, 1);
    const body = new Uint8Array([0, 255, 7]);
    await kysely.insertInto('item').values(item(time, { body })).execute();
    const row = await kysely.selectFrom('item').selectAll().executeTakeFirstOrThrow();
    assert.deepEqual(row, item(time, { body }));
  });

  test('beyond 2^53 are refused when read, not rounded', async (context) => {
    const { kysely, raw } = await open(context);
    raw.exec("insert into item (id, name) values (9007199254740993, 'x')");
    await assert.rejects(kysely.selectFrom('item').select('id').execute(), hasCode('other'));
  });

  test('that are no database values are refused', async (context) => {
    const { kysely } = await open(context);
    const wrong = new Date() as unknown as string;
    await assert.rejects(
      kysely
        .insertInto('item')
        .values(item(1, { name: wrong }))
        .execute(),
      hasCode('other'),
    );
  });

  test('are counted and returned by insert, update and delete', async (context) => {
    const { kysely } = await open(context);
    const inserted = await kysely
      .insertInto('item')
      .values([item(1), item(2)])
      .returning('id')
      .execute();
    assert.deepEqual(inserted, [{ id: 1 }, { id: 2 }]);
    const updated = await kysely.updateTable('item').set({ body: null }).executeTakeFirst();
    assert.equal(updated.numUpdatedRows, 2n);
    const deleted = await kysely.deleteFrom('item').where('id', '=', 1).executeTakeFirst();
    assert.equal(deleted.numDeletedRows, 1n);
  });

  test('are streamed while the same statement runs again', async (context) => {
    const { kysely, raw } = await open(context);
    await kysely
      .insertInto('item')
      .values([item(1), item(2), item(3)])
      .execute();
    const cache = new StatementCache(raw, 8);
    const seen: unknown[] = [];
    for (const row of cache.prepare('select id from item order by id').iterate([])) {
      seen.push(row);
      assert.equal(cache.prepare('select id from item order by id').all([]).length, 3);
    }
    assert.deepEqual(seen, [{ id: 1 }, { id: 2 }, { id: 3 }]);
    const streamed: number[] = [];
    for await (const row of kysely.selectFrom('item').select('id').orderBy('id').stream()) streamed.push(row.id);
    assert.deepEqual(streamed, [1, 2, 3]);
  });
});

describe('SQLite: transactions', () => {
  test('transact commits all of the work or none of it', async (context) => {
    const { kysely, transact } = await open(context);
    const count = await transact((raw) => {
      raw.prepare('insert into item (id, name) values (?, ?)').run(1, 'a');
      return raw.prepare('select count(*) as n from item').get()?.n;
    });
    assert.equal(count, 1);
    const failing = transact((raw) => {
      raw.prepare('insert into item (id, name) values (?, ?)').run(2, 'b');
      raw.prepare('insert into item (id, name) values (?, ?)').run(1, 'c');
    });
    await assert.rejects(failing, hasCode('unique'));
    assert.deepEqual(await kysely.selectFrom('item').select('id').execute(), [{ id: 1 }]);
  });

  test('transact passes on what the work throws', async (context) => {
    const { transact } = await open(context);
    const own = new RangeError('mine');
    await assert.rejects(
      transact(() => {
        throw own;
      }),
      own,
    );
  });

  test('transact waits for a transaction of Kysely that is open', async (context) => {
    const { kysely, transact } = await open(context);
    const order: string[] = [];
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
    const first = kysely.transaction().execute(async (transaction) => {
      await transaction.insertInto('item').values(item(1)).execute();
      await mayEnd;
      order.push('kysely');
    });
    const second = transact(() => order.push('transact'));
    end();
    await Promise.all([first, second]);
    assert.deepEqual(order, ['kysely', 'transact']);
  });

  test('two processes that read and then write in a transaction do not fail each other', async (context) => {
    const file = join(temporaryDirectory(context), 'core.db');
    const { kysely } = await open(context, file);
    await kysely.insertInto('item').values(item(0)).execute();
    await kysely.transaction().execute(async (transaction) => {
      await transaction.selectFrom('item').selectAll().execute();
      const other = openSqlite<Tables>({ file });
      other.raw.exec('PRAGMA busy_timeout = 1');
      // The lock was taken at the beginning: the other one waits then, instead of making this one fail later.
      await assert.rejects(
        other.kysely.transaction().execute(async () => {}),
        hasCode('busy'),
      );
      await other.close();
      await transaction.insertInto('item').values(item(1)).execute();
    });
    assert.equal((await kysely.selectFrom('item').selectAll().execute()).length, 2);
  });

  test('close waits for the transaction that is under way, and may be called twice', async (context) => {
    const { kysely, close, raw } = await open(context);
    const transaction = kysely.transaction().execute(async (inner) => {
      await inner.insertInto('item').values(item(1)).execute();
      await new Promise(setImmediate);
      await inner.insertInto('item').values(item(2)).execute();
    });
    await Promise.all([transaction, close(), close()]);
    assert.equal(raw.isOpen, false);
  });

  test('what was committed is there after the process is killed', (context) => {
    const file = join(temporaryDirectory(context), 'core.db');
    const program = `
      import { openSqlite } from '@gatehouse/runtime/database/sqlite';
      const { raw, transact } = openSqlite({ file: ${JSON.stringify(file)} });
      raw.exec('create table t (x integer)');
      await transact((raw) => { raw.exec('insert into t values (1)'); });
      raw.exec('begin; insert into t values (2)');
      process.kill(process.pid, 'SIGKILL');
    `;
    const { signal } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
    });
    assert.equal(signal, 'SIGKILL');
    const { raw } = openSqlite({ file });
    context.after(() => raw.close());
    assert.deepEqual(
      raw
        .prepare('select x from t')
        .all()
        .map((row) => row.x),
      [1],
    );
  });
});

describe('SQLite: prepared statements', () => {
  test('are kept up to a bound, least recently used out first', async (context) => {
    const { raw } = await open(context);
    const cache = new StatementCache(raw, 3);
    const kept = cache.prepare('select 1');
    for (let i = 2; i < 50; i++) {
      cache.prepare(`select ${i}`);
      assert.equal(cache.prepare('select 1'), kept);
    }
    assert.equal(cache.size, 3);
  });

  test('survive a change of the schema', async (context) => {
    const { kysely, raw } = await open(context);
    await kysely.insertInto('item').values(item(1)).execute();
    const before = await kysely.selectFrom('item').selectAll().execute();
    raw.exec('alter table item add column extra text');
    const after = await kysely.selectFrom('item').selectAll().execute();
    assert.deepEqual(after, [{ ...before[0], extra: null }]);
  });
});

describe('disk space', () => {
  test('is told in bytes for a directory', async (context) => {
    const free = await freeBytes(temporaryDirectory(context));
    assert.ok(Number.isSafeInteger(free) && free >= 0);
  });
});
