import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { DatabaseError, openSqlite, toDatabaseError } from '@gatehouse/runtime/database/sqlite';
import { FatalError } from '@gatehouse/runtime/fatal';
import { sql } from 'kysely';
import { temporaryDirectory } from '../support/directory.ts';
import { hasCode, item, open, type Tables } from '../support/items.ts';

describe('SQLite: errors', () => {
  test('a second row with the same key is `unique`, by primary key or by index', async (context) => {
    const { kysely } = await open(context);
    await kysely.insertInto('item').values(item(1)).execute();
    await assert.rejects(
      kysely
        .insertInto('item')
        .values(item(1, { name: 'other' }))
        .execute(),
      hasCode('unique'),
    );
    await assert.rejects(
      kysely
        .insertInto('item')
        .values(item(2, { name: 'item 1' }))
        .execute(),
      hasCode('unique'),
    );
  });

  test('a missing parent or value is `constraint`', async (context) => {
    const { kysely } = await open(context);
    await assert.rejects(
      kysely
        .insertInto('item')
        .values(item(1, { parent: 9 }))
        .execute(),
      hasCode('constraint'),
    );
    const nothing = null as unknown as string;
    await assert.rejects(
      kysely
        .insertInto('item')
        .values(item(1, { name: nothing }))
        .execute(),
      hasCode('constraint'),
    );
  });

  test('a wrong statement is `other`, and the cause is kept', async (context) => {
    const { kysely } = await open(context);
    await assert.rejects(
      sql`selec`.execute(kysely),
      (error) => hasCode('other')(error) && (error as Error).cause instanceof Error,
    );
  });

  test('a full disk is `disk-full`, undoes the transaction, and the database goes on when there is room', async (context) => {
    const { kysely, raw } = await open(context, join(temporaryDirectory(context), 'core.db'));
    await kysely.insertInto('item').values(item(1)).execute();
    raw.exec('PRAGMA max_page_count = 1'); // SQLite takes the present size as the least
    const fill = kysely.transaction().execute(async (transaction) => {
      await transaction.insertInto('item').values(item(2)).execute();
      await transaction
        .insertInto('item')
        .values(item(3, { body: new Uint8Array(1_000_000) }))
        .execute();
    });
    await assert.rejects(fill, hasCode('disk-full'));
    assert.deepEqual(await kysely.selectFrom('item').select('id').execute(), [{ id: 1 }]);
    raw.exec('PRAGMA max_page_count = 1000000');
    await kysely.insertInto('item').values(item(2)).execute();
  });

  test('the first error of a transaction is told, not that its rollback found nothing to undo', async (context) => {
    const { kysely, raw } = await open(context);
    const failed = kysely.transaction().execute(async () => {
      raw.exec('ROLLBACK'); // as SQLite does by itself on some errors
      throw new DatabaseError('disk-full', 'database or disk is full');
    });
    await assert.rejects(failed, hasCode('disk-full'));
  });

  test('a write to a database that was opened for reading is `read-only`', async (context) => {
    const file = join(temporaryDirectory(context), 'core.db');
    const writer = await open(context, file);
    await writer.kysely.insertInto('item').values(item(1)).execute();
    const reader = openSqlite<Tables>({ file, readOnly: true });
    context.after(() => reader.close());
    assert.equal((await reader.kysely.selectFrom('item').selectAll().execute()).length, 1);
    await assert.rejects(reader.kysely.insertInto('item').values(item(2)).execute(), hasCode('read-only'));
    await writer.kysely.insertInto('item').values(item(2)).execute();
    assert.equal((await reader.kysely.selectFrom('item').selectAll().execute()).length, 2);
  });

  test('a lock that is held too long is `busy`', async (context) => {
    const file = join(temporaryDirectory(context), 'core.db');
    const first = await open(context, file);
    const second = await open(context, file);
    second.raw.exec('PRAGMA busy_timeout = 1');
    await first.kysely.transaction().execute(async () => {
      await assert.rejects(second.kysely.insertInto('item').values(item(1)).execute(), hasCode('busy'));
    });
  });

  test('what is a DatabaseError already stays what it is', () => {
    const error = new DatabaseError('busy', 'x');
    assert.equal(toDatabaseError(error), error);
    assert.equal(toDatabaseError('text').code, 'other');
  });
});

describe('SQLite: opening', () => {
  test('says that the directory is missing', (context) => {
    const file = join(temporaryDirectory(context), 'no', 'core.db');
    assert.throws(
      () => openSqlite({ file }),
      (error) =>
        error instanceof FatalError &&
        error.message === `cannot open the database ${file}: its directory does not exist`,
    );
  });

  test('says that the file is no database, and how to go on', (context) => {
    const file = join(temporaryDirectory(context), 'core.db');
    writeFileSync(file, 'this is a text '.repeat(500));
    for (const readOnly of [false, true]) {
      assert.throws(
        () => openSqlite({ file, readOnly }),
        (error) =>
          error instanceof FatalError && error.hint?.includes('backup') === true && hasCode('corrupt')(error.cause),
      );
    }
  });

  test('says that the name is a directory', (context) => {
    const file = join(temporaryDirectory(context), 'core.db');
    mkdirSync(file);
    assert.throws(() => openSqlite({ file }), FatalError);
  });

  test('for reading creates nothing', (context) => {
    const file = join(temporaryDirectory(context), 'core.db');
    assert.throws(() => openSqlite({ file, readOnly: true }), FatalError);
    assert.equal(existsSync(file), false);
  });
});
