// Operators as rows. The registry holds the living view of them.
// A row is never deleted: names stand in the audit log for good.

import { CoreError } from '@gatehouse/proto/core-error';
import { compileInsert, compileQuery, slot } from './queries.ts';
import type { StoreReader } from './statements.ts';
import type { WriteOperation } from './write-set.ts';

/** An operator as stored. */
export type StoredOperator = { readonly name: string; readonly isDisabled: boolean; readonly createdAt: Date };

const insert = `${compileInsert('operators', ['name', 'is_disabled', 'created_at']).sql} on conflict do nothing`;

const selectAll = compileQuery((database) => database.selectFrom('operators').selectAll().orderBy('name'));

const disable = compileQuery((database) =>
  database
    .updateTable('operators')
    .set({ is_disabled: slot(0) })
    .where('name', '=', slot<string>(1)),
);

/** Makes an operator known. Fails with CoreError `conflict` when the name is taken. */
export function insertOperator(name: string, createdAt: Date): WriteOperation {
  return {
    sql: insert,
    parameters: [name, 0, createdAt.getTime()],
    expects: { rows: 1, otherwise: () => new CoreError('conflict', `there is an operator ${name} already`) },
  };
}

/** Shuts an operator out. Fails with CoreError `not-found`. */
export function disableOperator(name: string): WriteOperation {
  return {
    sql: disable.sql,
    parameters: [1, name],
    expects: { rows: 1, otherwise: () => new CoreError('not-found', `there is no operator ${name}`) },
  };
}

/** All operators by name. Throws CoreError `unavailable`. */
export function listOperators(store: StoreReader): readonly StoredOperator[] {
  return store
    .all(selectAll)
    .map((row) => ({ name: row.name, isDisabled: row.is_disabled !== 0, createdAt: new Date(row.created_at) }));
}
