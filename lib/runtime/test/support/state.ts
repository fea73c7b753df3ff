// A gate's state with one table, on either database, as tests of the state store need it.

import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '@gatehouse/runtime/clock';
import { createQueryCompiler, slot } from '@gatehouse/runtime/database/queries';
import { openStateStore, type StateMigration, type StateStore } from '@gatehouse/runtime/database/state-store';
import type { Logger } from '@gatehouse/runtime/log';
import type { TestPostgres } from '@gatehouse/runtime/test-support/postgres';
import type { Generated } from 'kysely';
import { temporaryDirectory } from './directory.ts';
import { recordingLog } from './log.ts';

/** The table. */
export type Tables = {
  things: { position: Generated<number>; name: string; size: number | null; body: Uint8Array | null };
};

const { compileQuery, compileInsert } = createQueryCompiler<Tables>();

/** The one migration. */
export const things: StateMigration = {
  up: async ({ schema }, { integer, binary, counter }) => {
    await schema
      .createTable('things')
      .addColumn('position', counter.type, counter.build)
      .addColumn('name', 'text', (column) => column.notNull().unique())
      .addColumn('size', integer)
      .addColumn('body', binary)
      .execute();
  },
};

/** Queries of the table. */
export const queries = {
  insert: compileInsert('things', ['name', 'size', 'body']),
  insertReturning: compileQuery((database) =>
    database
      .insertInto('things')
      .values({ name: slot(0), size: slot(1) })
      .returning(['position', 'name']),
  ),
  find: compileQuery((database) => database.selectFrom('things').selectAll().where('name', '=', slot<string>(0))),
  list: compileQuery((database) =>
    database.selectFrom('things').select('name').orderBy('position').limit(slot<number>(0)),
  ),
  resize: compileQuery((database) =>
    database
      .updateTable('things')
      .set({ size: slot<number>(0) })
      .where('name', '=', slot<string>(1)),
  ),
};

/** Where a state is kept, and how to open it (again). */
export type Place = { open(log?: Logger): Promise<StateStore> };

/** A file of the test's own. */
export function filePlace(context: TestContext): Place & { readonly file: string } {
  const file = join(temporaryDirectory(context), 'state', 'gate.db');
  return { file, open: opener(context, { file }) };
}

/** A database of the test's own. */
export async function postgresPlace(context: TestContext, server: TestPostgres): Promise<Place & { address: string }> {
  const address = await server.createDatabase();
  return { address, open: opener(context, { postgres: address }) };
}

function opener(context: TestContext, database: { file: string } | { postgres: string }): Place['open'] {
  return async (log = recordingLog().log) => {
    const store = await openStateStore({ database, migrations: { '0001-things': things }, log, clock: systemClock });
    let isClosed = false;
    const close = async (): Promise<void> => {
      if (!isClosed) await store.close();
      isClosed = true;
    };
    context.after(close);
    return { ...store, close };
  };
}
