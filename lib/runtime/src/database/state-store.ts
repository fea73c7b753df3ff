// The durable state of a gate, on SQLite (one copy of the gate) or PostgreSQL (several), by the same SQL text.
// Text is compiled once, at load; it has `?` for each parameter and only what both databases understand: `on conflict`,
// `returning`, `case when`, `cast(? as bigint)`; no max(a, b), no booleans. A text made from input must never come here.

import type { ColumnDefinitionBuilder, Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Query, SqlValue } from './queries.ts';
import { openPostgresStateStore } from './state-store-postgres.ts';
import { openSqliteStateStore } from './state-store-sqlite.ts';

export type { SqlValue } from './queries.ts';
export { StateUnavailableError } from './state-unavailable.ts';

/** One statement with its parameters. */
export type StateOperation = {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
  /** How many rows must have changed. If it is another number, the whole set is undone and fails with `otherwise()`. */
  readonly expects?: { readonly rows: number; otherwise(): Error };
};

/**
 * What a commit must survive once it is answered. `power-cut`: everything; it is on the disk. `crash`: the end of this
 * process, however it ends, which costs no wait for the disk; for what may come again once after the machine, or the server
 * of the database, itself fell.
 */
export type CommitDurability = 'power-cut' | 'crash';

/** Reads and writes the state of a gate. Integers come as numbers, binary values as Uint8Array. */
export type StateStore = {
  readonly dialect: 'sqlite' | 'postgres';
  /**
   * The first row, or nothing. Never stale: what was committed before the call, by whichever copy, is seen.
   *
   * @throws {StateUnavailableError} when the database cannot be read
   */
  one<Row>(query: Query<Row>, ...parameters: readonly SqlValue[]): Promise<Row | undefined>;
  /** All rows; only for queries that have a limit. Fails as {@link StateStore.one}. */
  all<Row>(query: Query<Row>, ...parameters: readonly SqlValue[]): Promise<readonly Row[]>;
  /**
   * Carries the operations out in order, all or nothing; when it resolves they survive a power cut, unless told that a
   * crash is enough.
   *
   * @throws the `otherwise()` of the first operation that changed another number of rows; {@link DatabaseError}
   * (`unique`, …) of a statement that was refused; {@link StateUnavailableError} when the database cannot be written
   */
  commit(operations: readonly StateOperation[], survives?: CommitDurability): Promise<void>;
  /** One writing statement with `returning`; durable when it resolves. Fails as {@link StateStore.commit}. */
  write<Row>(query: Query<Row>, ...parameters: readonly SqlValue[]): Promise<readonly Row[]>;
  /** Whether the last attempt to reach the database succeeded. While it did not, another is made each second. */
  isHealthy(): boolean;
  /** Finishes what was asked for and closes the database. */
  close(): Promise<void>;
};

/** Column types by which one migration serves both databases. */
export type StateColumnTypes = {
  /** Whole numbers up to 2^53. */
  readonly integer: 'integer' | 'bigint';
  readonly binary: 'blob' | 'bytea';
  /** A primary key that the database counts up. */
  readonly counter: {
    readonly type: 'integer' | 'bigint';
    build(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder;
  };
};

/** One step forward, for both databases; see {@link migrate}. */
export type StateMigration = { up(database: Kysely<unknown>, types: StateColumnTypes): Promise<void> };

/** What {@link openStateStore} takes. */
export type StateStoreOptions = {
  /** Path of a file (':memory:' for tests), or `postgres://user:password@host:port/database`. */
  readonly database: { readonly file: string } | { readonly postgres: string };
  readonly migrations: Readonly<Record<string, StateMigration>>;
  readonly log: Logger;
  /** Tells when migrations were applied. */
  readonly clock: Clock;
  /** Connections to PostgreSQL; 10 unless told. */
  readonly maximumConnections?: number | undefined;
};

/**
 * Opens the state of a gate and brings it to the form that this code expects.
 *
 * @throws {FatalError} when it cannot be opened or reached, or was made by a newer version
 */
export async function openStateStore(options: StateStoreOptions): Promise<StateStore> {
  const { database, ...rest } = options;
  return 'file' in database
    ? await openSqliteStateStore({ ...rest, file: database.file })
    : await openPostgresStateStore({ ...rest, address: database.postgres });
}
