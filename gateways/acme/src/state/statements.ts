// What perspectives signed about an authorization (BR §3.2.2.9): for each check the statements of the one attempt that
// passed. They are carried to the keep, which judges them anew; older ones are replaced, never combined.

import type { StateOperation, StateStore } from '@gatehouse/runtime/database/state-store';
import type { Selectable } from 'kysely';
import type { StatementTable } from './database.ts';
import { compileListQuery } from './lists.ts';
import { compileInsert, compileQuery, slot } from './queries.ts';

/** The statements of one passing attempt. */
export type StatementSet = {
  readonly check: 'dcv' | 'caa';
  readonly attempt: string;
  /** Compact JWS each. */
  readonly statements: readonly string[];
  /** When the first of them was made. */
  readonly checkedAt: Date;
  /** Until when the gate uses them again. */
  readonly goodUntil: Date;
};

const columns = ['authorization_id', 'check', 'attempt', 'statements', 'checked_at', 'good_until'] as const;

const upsert = `${compileInsert('statements', columns).sql} on conflict ("authorization_id", "check") do update set ${columns
  .slice(2)
  .map((column) => `"${column}" = excluded."${column}"`)
  .join(', ')}`;

const selectOf = compileListQuery(0, (ids) =>
  compileQuery((database) =>
    database.selectFrom('statements').selectAll().where('authorization_id', 'in', ids).orderBy('authorization_id'),
  ),
);

const removeOf = compileQuery((database) =>
  database.deleteFrom('statements').where('authorization_id', '=', slot<string>(0)),
);

/** Puts a set in the place of an older one. */
export function putStatements(authorizationId: string, set: StatementSet): StateOperation {
  return {
    sql: upsert,
    parameters: [
      authorizationId,
      set.check,
      set.attempt,
      JSON.stringify(set.statements),
      set.checkedAt.getTime(),
      set.goodUntil.getTime(),
    ],
  };
}

/** Drops what was signed about an authorization. */
export function removeStatements(authorizationId: string): StateOperation {
  return { sql: removeOf.sql, parameters: [authorizationId] };
}

/** The sets of 1 to 100 authorizations, by authorization id and check. */
export async function readStatements(
  store: StateStore,
  authorizationIds: readonly string[],
): Promise<ReadonlyMap<string, { readonly dcv?: StatementSet; readonly caa?: StatementSet }>> {
  const { query, parameters } = selectOf([], authorizationIds);
  const sets = new Map<string, { dcv?: StatementSet; caa?: StatementSet }>();
  for (const row of await store.all<Selectable<StatementTable>>(query, ...parameters)) {
    const of = sets.get(row.authorization_id) ?? {};
    of[row.check] = toSet(row);
    sets.set(row.authorization_id, of);
  }
  return sets;
}

function toSet(row: Selectable<StatementTable>): StatementSet {
  return {
    check: row.check,
    attempt: row.attempt,
    statements: JSON.parse(row.statements),
    checkedAt: new Date(row.checked_at),
    goodUntil: new Date(row.good_until),
  };
}
