import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type Migration, migrate } from '@gatehouse/runtime/database/migrate';
import { openSqlite } from '@gatehouse/runtime/database/sqlite';
import { FatalError } from '@gatehouse/runtime/fatal';
import { sql } from 'kysely';
import { temporaryDirectory } from '../support/directory.ts';

function creates(table: string): Migration {
  return {
    up: async (database) => {
      await sql`create table ${sql.table(table)} (x integer)`.execute(database);
    },
  };
}

function open(context: TestContext, file = ':memory:') {
  const database = openSqlite<Record<string, never>>({ file });
  context.after(() => database.close());
  return database;
}

function tables(database: ReturnType<typeof open>): readonly unknown[] {
  const rows = database.raw.prepare(
    "select name from sqlite_schema where type = 'table' and name not like 'gatehouse%' order by name",
  );
  return rows.all().map((row) => row.name);
}

describe('migrations', () => {
  test('are applied in the order of their names, each once', async (context) => {
    const database = open(context);
    const order: string[] = [];
    const noted = (name: string): Migration => ({ up: async () => void order.push(name) });
    const first = { '0002-b': noted('b'), '0001-a': noted('a') };
    assert.deepEqual(await migrate(database.kysely, first), { applied: ['0001-a', '0002-b'] });
    assert.deepEqual(await migrate(database.kysely, first), { applied: [] });
    assert.deepEqual(await migrate(database.kysely, { ...first, '0010-c': noted('c') }), { applied: ['0010-c'] });
    assert.deepEqual(order, ['a', 'b', 'c']);
  });

  test('leave nothing behind when one of them fails', async (context) => {
    const database = open(context);
    const broken: Migration = {
      up: async () => {
        throw new RangeError('broken');
      },
    };
    await assert.rejects(migrate(database.kysely, { '0001-a': creates('a'), '0002-b': broken }), RangeError);
    assert.deepEqual(tables(database), []);
    await migrate(database.kysely, { '0001-a': creates('a'), '0002-b': creates('b') });
    assert.deepEqual(tables(database), ['a', 'b']);
  });

  test('refuse a database that is newer than the program', async (context) => {
    const database = open(context);
    await migrate(database.kysely, { '0001-a': creates('a'), '0002-b': creates('b') });
    await assert.rejects(
      migrate(database.kysely, { '0001-a': creates('a') }),
      (error) => error instanceof FatalError && error.message.includes('newer') && error.message.includes('0002-b'),
    );
  });

  test('refuse one that sorts before those that were applied', async (context) => {
    const database = open(context);
    await migrate(database.kysely, { '0002-b': creates('b') });
    await assert.rejects(
      migrate(database.kysely, { '0001-a': creates('a'), '0002-b': creates('b') }),
      (error) => error instanceof FatalError && error.message.includes('0001-a'),
    );
    assert.deepEqual(tables(database), ['b']);
  });

  test('of two processes at the same time are applied by one of them', async (context) => {
    const file = join(temporaryDirectory(context), 'core.db');
    const [first, second] = [open(context, file), open(context, file)];
    // One process holds the write lock; the other would wait for it, and its patience is what is shortened here.
    second.raw.exec('PRAGMA busy_timeout = 1');
    let refused = false;
    const slow: Migration = {
      up: async (database) => {
        await assert.rejects(migrate(second.kysely, { '0001-a': creates('a') }));
        refused = true;
        await creates('a').up(database);
      },
    };
    assert.deepEqual(await migrate(first.kysely, { '0001-a': slow }), { applied: ['0001-a'] });
    assert.ok(refused);
    assert.deepEqual(await migrate(second.kysely, { '0001-a': creates('a') }), { applied: [] });
  });
});
