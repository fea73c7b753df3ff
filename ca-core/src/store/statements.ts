// Prepared statements of the store's own connection, for reads and writes of the hot path that cannot wait for Kysely.
// The texts are the compiled queries of this directory, so their number is bounded; a text that is made from input must
// never come here.

import type { DatabaseSync } from 'node:sqlite';
import { createPreparer } from '@gatehouse/runtime/database/prepared';
import { guardRead } from './failure.ts';
import type { Query } from './queries.ts';
import type { SqlValue } from './write-set.ts';

/** Reads what is committed, at once and without waiting. */
export type StoreReader = {
  /**
   * The first row, or nothing.
   *
   * @throws {CoreError} `unavailable` when the database cannot be read
   */
  one<Row>(query: Query<Row>, ...parameters: readonly SqlValue[]): Row | undefined;
  /** All rows; only for queries that have a limit. Throws as {@link StoreReader.one}. */
  all<Row>(query: Query<Row>, ...parameters: readonly SqlValue[]): readonly Row[];
};

/** Prepared once for each text. */
export type Statements = StoreReader & {
  /** Carries a statement out; returns how many rows changed. Throws what node:sqlite throws. */
  run(sql: string, parameters: readonly SqlValue[]): number;
};

/** Creates the statements of a connection. `onFailure` is told of every read that fails. */
export function createStatements(raw: DatabaseSync, onFailure?: (error: unknown) => void): Statements {
  const prepare = createPreparer(raw);
  return {
    // The rows have the columns that Kysely typed when it compiled the query.
    one: <Row>(query: Query<Row>, ...parameters: readonly SqlValue[]) =>
      guardRead(() => prepare(query.sql).get(...parameters) as Row | undefined, onFailure),
    all: <Row>(query: Query<Row>, ...parameters: readonly SqlValue[]) =>
      guardRead(() => prepare(query.sql).all(...parameters) as Row[], onFailure),
    run: (sql, parameters) => Number(prepare(sql).run(...parameters).changes),
  };
}
