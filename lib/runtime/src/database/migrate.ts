// Brings a database to the form that this code expects: forward only, each migration once, all of them in one
// transaction under the database's write lock. A database that is newer than the code is refused, never 'repaired'; a
// migration that was applied is never changed.

import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import { FatalError } from '../fatal.ts';

/** One step forward. Steps are applied in the order of their names ('0001-initial', '0002-leases'). */
export type Migration = {
  /** Changes the database; runs inside the transaction of all pending migrations. */
  up(database: Kysely<unknown>): Promise<void>;
};

/** What {@link migrate} did. */
export type MigrationResult = {
  /** Names of the migrations that were applied now, in order. */
  readonly applied: readonly string[];
};

/** What the dialects say differently. */
export type MigrationDialect = {
  /** Type of a column for epoch milliseconds. */
  readonly integer: 'integer' | 'bigint';
  /** The time of the database, epoch milliseconds. */
  readonly now: RawBuilder<number>;
  /** Waits for whoever else migrates, until the transaction ends; nothing where a transaction is alone anyway. */
  readonly lock?: RawBuilder<unknown>;
};

const sqlite: MigrationDialect = {
  integer: 'integer',
  now: sql<number>`cast(unixepoch('subsec') * 1000 as integer)`,
};

type MigrationTable = { gatehouseMigration: { name: string; appliedAt: number } };

/**
 * Applies what is missing. Two processes may call it at the same time: the second waits and finds nothing to do.
 *
 * @param migrations by name; names sort in the order of application
 * @param dialect SQLite's unless told
 * @throws {FatalError} when the database has a migration that the code does not know, or one is to be put before others
 * that were applied
 */
export async function migrate<DB>(
  kysely: Kysely<DB>,
  migrations: Readonly<Record<string, Migration>>,
  dialect: MigrationDialect = sqlite,
): Promise<MigrationResult> {
  const names = Object.keys(migrations).sort();
  return await kysely.transaction().execute(async (transaction) => {
    const table = transaction as unknown as Transaction<MigrationTable>;
    await dialect.lock?.execute(table);
    await table.schema
      .createTable('gatehouseMigration')
      .ifNotExists()
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('appliedAt', dialect.integer, (column) => column.notNull())
      .execute();
    const rows = await table.selectFrom('gatehouseMigration').select('name').orderBy('name').execute();
    const pending = pendingAfter(
      names,
      rows.map((row) => row.name),
    );
    for (const name of pending) {
      await migrations[name]?.up(table as unknown as Kysely<unknown>);
      await table.insertInto('gatehouseMigration').values({ name, appliedAt: dialect.now }).execute();
    }
    return { applied: pending };
  });
}

function pendingAfter(names: readonly string[], applied: readonly string[]): readonly string[] {
  const unknown = applied.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new FatalError(`the database is newer than this program: it has the migration '${unknown.join("', '")}'`, {
      hint: 'start the newer version of Gatehouse that made it, or restore a backup from before the upgrade',
    });
  }
  const pending = names.slice(applied.length);
  const skipped = names.find((name, index) => index < applied.length && name !== applied[index]);
  if (skipped !== undefined) {
    throw new FatalError(`the migration '${skipped}' was never applied, but later ones were`, {
      hint: 'the database was made by a different version; restore a backup or use that version',
    });
  }
  return pending;
}
