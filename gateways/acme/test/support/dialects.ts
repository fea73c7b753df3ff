// The state of a gate on either database, for rules that both must hold.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { type Clock, systemClock } from '@gatehouse/runtime/clock';
import { openStateStore, type StateStore } from '@gatehouse/runtime/database/state-store';
import { createLog } from '@gatehouse/runtime/log';
import { startPostgres, type TestPostgres } from '@gatehouse/runtime/test-support/postgres';
import { migrations } from '../../src/state/open.ts';

/** A state of the test's own, and how further copies of the gate open it. */
export type SharedState = {
  readonly store: StateStore;
  /** Path of the file; empty on PostgreSQL. */
  readonly file: string;
  openCopy(): Promise<StateStore>;
};

/** Makes an empty state that goes with the test. */
export type MakeState = (context: TestContext, clock?: Clock) => Promise<SharedState>;

const log = createLog({ name: 'test', level: 'silent' });

/** One for all tests of a file, from the first one that needs it to the end of the file. */
let server: Promise<TestPostgres> | undefined;
const endings: (() => Promise<void>)[] = [];
after(async () => {
  for (const end of endings) await end();
});

const onSqlite: MakeState = async (context, clock = systemClock) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-acme-state-'));
  const file = join(folder, 'acme.db');
  const openCopy = openerOf(context, { file }, clock);
  const store = await openCopy();
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return { store, file, openCopy };
};

const onPostgres: MakeState = async (context, clock = systemClock) => {
  server ??= startPostgres({ after: (end) => void endings.push(end) });
  const openCopy = openerOf(context, { postgres: await (await server).createDatabase() }, clock);
  return { store: await openCopy(), file: '', openCopy };
};

/** Both by name. */
export const dialects: Readonly<Record<'sqlite' | 'postgres', MakeState>> = { sqlite: onSqlite, postgres: onPostgres };

function openerOf(context: TestContext, database: { file: string } | { postgres: string }, clock: Clock) {
  return async (): Promise<StateStore> => {
    const store = await openStateStore({ database, migrations, log, clock });
    context.after(() => store.close());
    return store;
  };
}
