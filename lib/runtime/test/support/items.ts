// A database with one table, as tests of the database modules need it.

import type { TestContext } from 'node:test';
import { DatabaseError, type DatabaseErrorCode, openSqlite } from '@gatehouse/runtime/database/sqlite';
import { sql } from 'kysely';

/** The table. */
export type Tables = {
  item: { id: number; name: string; body: Uint8Array | null; parent: number | null };
};

/** Opens a database and makes the table; it is closed when the test ends. */
export async function open(context: TestContext, file = ':memory:') {
  const database = openSqlite<Tables>({ file });
  context.after(() => database.close());
  await sql`create table if not exists item (id integer primary key, name text not null unique, body blob, parent integer references item (id))`.execute(
    database.kysely,
  );
  return database;
}

/** Whether an error is a DatabaseError of this kind. */
export function hasCode(code: DatabaseErrorCode) {
  return (error: unknown) => error instanceof DatabaseError && error.code === code;
}

/** A row. */
export function item(id: number, more: Partial<Tables['item']> = {}): Tables['item'] {
  return { id, name: `item ${id}`, body: null, parent: null, ...more };
}
