// Prepared statements of one connection, each prepared once, for the hot path. The texts are those of compiled queries, so
// their number is bounded; a text that is made from input must never come here.

import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Yields the statement of a text. Throws what node:sqlite throws. */
export type Preparer = (sql: string) => StatementSync;

/** Creates the statements of a connection. */
export function createPreparer(raw: DatabaseSync): Preparer {
  const prepared = new Map<string, StatementSync>();
  return (sql) => {
    let statement = prepared.get(sql);
    if (statement === undefined) {
      statement = raw.prepare(sql);
      prepared.set(sql, statement);
    }
    return statement;
  };
}
