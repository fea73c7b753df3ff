// Limits as they are stored: for each key the theoretical arrival time of the generic cell rate algorithm, one row and one
// atomic statement each, so that all copies of the gate count together; and names that failed on end.

import type { StateOperation, StateStore } from '@gatehouse/runtime/database/state-store';
import { type NotNull, sql } from 'kysely';
import { compileListQuery } from './lists.ts';
import { compileQuery, slot } from './queries.ts';

/** One limit as GCRA counts: a unit costs `intervalMs`, and at most `toleranceMs` may be owed. */
export type Cell = { readonly intervalMs: number; readonly toleranceMs: number };

// The unit is taken only where the arrival time, not before now, stays within the tolerance; else no row changes.
const take = compileQuery((database) =>
  database
    .insertInto('rate_limits')
    .values({ key: slot(0), arrival_at: slot(1) })
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet({
          arrival_at: sql<number>`case when "rate_limits"."arrival_at" > ${slot<number>(2)}
            then "rate_limits"."arrival_at" + ${slot<number>(3)} else ${slot<number>(4)} end`,
        })
        .where('rate_limits.arrival_at', '<=', slot<number>(5)),
    ),
);

// Counts without refusing; what is owed never exceeds the tolerance.
const charge = compileQuery((database) =>
  database
    .insertInto('rate_limits')
    .values({ key: slot(0), arrival_at: slot(1) })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({
        arrival_at: sql<number>`case when "rate_limits"."arrival_at" > ${slot<number>(2)} then ${slot<number>(3)}
            when "rate_limits"."arrival_at" > ${slot<number>(4)} then "rate_limits"."arrival_at" + ${slot<number>(5)}
            else ${slot<number>(6)} end`,
      }),
    ),
);

const lower = compileQuery((database) =>
  database
    .updateTable('rate_limits')
    .set({ arrival_at: slot<number>(0) })
    .where('key', '=', slot<string>(1))
    .where('arrival_at', '>', slot<number>(2)),
);

const selectArrival = compileQuery((database) =>
  database.selectFrom('rate_limits').select('arrival_at').where('key', '=', slot<string>(0)),
);

const selectArrivals = compileListQuery(0, (keys) =>
  compileQuery((database) => database.selectFrom('rate_limits').select(['key', 'arrival_at']).where('key', 'in', keys)),
);

const countFailure = compileQuery((database) =>
  database
    .insertInto('paused_names')
    .values({ account_id: slot(0), name: slot(1), failures: sql.lit(1), last_failed_at: slot(2), paused_at: slot(3) })
    .onConflict((conflict) =>
      conflict.columns(['account_id', 'name']).doUpdateSet({
        failures: sql<number>`"paused_names"."failures" + 1`,
        last_failed_at: slot<number>(4),
        paused_at: sql<number | null>`case when "paused_names"."paused_at" is not null then "paused_names"."paused_at"
            when "paused_names"."failures" + 1 >= ${slot<number>(5)} then ${slot<number>(6)} else null end`,
      }),
    ),
);

const forgetFailures = compileQuery((database) =>
  database.deleteFrom('paused_names').where('account_id', '=', slot<string>(0)).where('name', '=', slot<string>(1)),
);

const forgetAllFailures = compileQuery((database) =>
  database.deleteFrom('paused_names').where('account_id', '=', slot<string>(0)),
);

const selectPausedAmong = compileListQuery(1, (names) =>
  compileQuery((database) =>
    database
      .selectFrom('paused_names')
      .select('name')
      .where('account_id', '=', slot<string>(0))
      .where('paused_at', 'is not', null)
      .where('name', 'in', names),
  ),
);

const selectPaused = compileQuery((database) =>
  database
    .selectFrom('paused_names')
    .selectAll()
    .$narrowType<{ paused_at: NotNull }>()
    .where('paused_at', 'is not', null)
    .where('account_id', '>=', slot<string>(0))
    .where((where) => where.or([where('account_id', '>', slot<string>(1)), where('name', '>', slot<string>(2))]))
    .orderBy('account_id')
    .orderBy('name')
    .limit(slot<number>(3)),
);

/** Takes one unit for a key, or fails with `otherwise()` and takes nothing. */
export function takeUnit(key: string, cell: Cell, now: Date, otherwise: () => Error): StateOperation {
  const at = now.getTime();
  const { intervalMs, toleranceMs } = cell;
  const first = at + intervalMs;
  return {
    sql: take.sql,
    parameters: [key, first, at, intervalMs, first, at + toleranceMs - intervalMs],
    expects: { rows: 1, otherwise },
  };
}

/** Counts one unit for a key whether it has one left or not. */
export function chargeUnit(key: string, { intervalMs, toleranceMs }: Cell, now: Date): StateOperation {
  const at = now.getTime();
  const first = at + intervalMs;
  const most = at + toleranceMs;
  return { sql: charge.sql, parameters: [key, first, most - intervalMs, most, at, intervalMs, first] };
}

/** Nobody owes more than the tolerance: a clock that was set back would else shut a key out for as long as that. */
export function lowerArrival(key: string, { toleranceMs }: Cell, now: Date): StateOperation {
  const most = now.getTime() + toleranceMs;
  return { sql: lower.sql, parameters: [most, key, most] };
}

/** Theoretical arrival time of a key, epoch milliseconds; undefined when it owes nothing that is known. */
export async function readArrival(store: StateStore, key: string): Promise<number | undefined> {
  return (await store.one<{ arrival_at: number }>(selectArrival, key))?.arrival_at;
}

/** The same of several keys. @param keys 1 to 128 */
export async function readArrivals(store: StateStore, keys: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const { query, parameters } = selectArrivals([], keys);
  const rows = await store.all<{ key: string; arrival_at: number }>(query, ...parameters);
  return new Map(rows.map(({ key, arrival_at }) => [key, arrival_at]));
}

/** Counts a failure of a name; the one that makes `pauseAfter` pauses it. @param pauseAfter at least 1 */
export function countNameFailure(accountId: string, name: string, pauseAfter: number, now: Date): StateOperation {
  const at = now.getTime();
  const parameters = [accountId, name, at, pauseAfter <= 1 ? at : null, at, pauseAfter, at];
  return { sql: countFailure.sql, parameters };
}

/** A name starts from nothing: it was validated, or an operator unpauses it. */
export function forgetNameFailures(accountId: string, name: string): StateOperation {
  return { sql: forgetFailures.sql, parameters: [accountId, name] };
}

/** All names of an account start from nothing. */
export function forgetFailuresOf(accountId: string): StateOperation {
  return { sql: forgetAllFailures.sql, parameters: [accountId] };
}

/** Those of the names that are paused for the account. @param names 1 to 128 */
export async function readPausedAmong(
  store: StateStore,
  accountId: string,
  names: readonly string[],
): Promise<readonly string[]> {
  const { query, parameters } = selectPausedAmong([accountId], names);
  return (await store.all<{ name: string }>(query, ...parameters)).map(({ name }) => name);
}

/** A name that is paused, for people. */
export type PausedName = {
  readonly accountId: string;
  readonly name: string;
  readonly failures: number;
  readonly pausedAt: Date;
  readonly lastFailedAt: Date;
};

/** Paused names by account and name, after the one that is given. */
export async function listPausedNames(
  store: StateStore,
  after: { readonly accountId: string; readonly name: string } = { accountId: '', name: '' },
  limit = 100,
): Promise<readonly PausedName[]> {
  const rows = await store.all(selectPaused, after.accountId, after.accountId, after.name, limit);
  return rows.map((row) => ({
    accountId: row.account_id,
    name: row.name,
    failures: row.failures,
    pausedAt: new Date(row.paused_at),
    lastFailedAt: new Date(row.last_failed_at),
  }));
}
