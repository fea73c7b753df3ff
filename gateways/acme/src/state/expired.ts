// Finds and removes what is over. Rows are found first and removed by their keys, so that what belongs together goes in
// one commit, and two copies of the gate that do it at once find less to do and nothing wrong.

import type { SqlValue, StateOperation, StateStore } from '@gatehouse/runtime/database/state-store';
import { sql } from 'kysely';
import type { OrderStatus } from './database.ts';
import { compileListQuery, type ListQuery } from './lists.ts';
import { compileQuery, type Query, slot } from './queries.ts';

/** Most rows that one removal takes. */
export const batchSize = 128;

/** One kind of row that is removed when it is over. */
export type ExpiredKind = {
  /** Name of the table. */
  readonly table: string;
  /** Keys of rows that were over at a time, at most {@link batchSize}; the oldest first. */
  find(store: StateStore, before: Date): Promise<readonly string[]>;
  /** Removes rows by their keys, with what belongs to them. @param before as they were found */
  remove(keys: readonly string[], before: Date): readonly StateOperation[];
};

type KeyRow = { readonly key: string };

/** Nonces that are too old to be used again anyway (RFC 8555 §6.5). */
export const expiredNonces: ExpiredKind = kind(
  'nonces',
  compileQuery((database) =>
    database
      .selectFrom('nonces')
      .select('nonce as key')
      .where('expires_at', '<', slot<number>(0))
      .orderBy('expires_at')
      .limit(slot<number>(1)),
  ),
  [compileListQuery(0, (keys) => compileQuery((database) => database.deleteFrom('nonces').where('nonce', 'in', keys)))],
);

/** Orders that expired, but never one that is being processed: what comes of it must be told. */
export const expiredOrders: ExpiredKind = kind(
  'orders',
  compileQuery((database) =>
    database
      .selectFrom('orders')
      .select('id as key')
      .where('expires_at', '<', slot<number>(0))
      .where('status', '<>', sql.lit<OrderStatus>('processing'))
      .orderBy('expires_at')
      .limit(slot<number>(1)),
  ),
  [compileListQuery(0, (keys) => compileQuery((database) => database.deleteFrom('orders').where('id', 'in', keys)))],
);

/** Authorizations that expired, with the statements about them. */
export const expiredAuthorizations: ExpiredKind = kind(
  'authorizations',
  compileQuery((database) =>
    database
      .selectFrom('authorizations')
      .select('id as key')
      .where('expires_at', '<', slot<number>(0))
      .orderBy('expires_at')
      .limit(slot<number>(1)),
  ),
  [
    compileListQuery(0, (keys) =>
      compileQuery((database) => database.deleteFrom('statements').where('authorization_id', 'in', keys)),
    ),
    compileListQuery(0, (keys) =>
      compileQuery((database) => database.deleteFrom('authorizations').where('id', 'in', keys)),
    ),
  ],
);

/** Certificates that expired; the keep has them all. */
export const expiredCertificates: ExpiredKind = kind(
  'certificates',
  compileQuery((database) =>
    database
      .selectFrom('certificates')
      .select('id as key')
      .where('not_after', '<', slot<number>(0))
      .orderBy('not_after')
      .limit(slot<number>(1)),
  ),
  [
    compileListQuery(0, (keys) =>
      compileQuery((database) => database.deleteFrom('certificates').where('id', 'in', keys)),
    ),
  ],
);

/** Limits of which nothing is owed any more; one that was taken from meanwhile owes again and stays. */
export const settledLimits: ExpiredKind = {
  table: 'rate_limits',
  find: finder(
    compileQuery((database) =>
      database
        .selectFrom('rate_limits')
        .select('key')
        .where('arrival_at', '<', slot<number>(0))
        .orderBy('arrival_at')
        .limit(slot<number>(1)),
    ),
  ),
  remove: (keys, before) => [toOperation(removeSettled([before.getTime()], keys))],
};

const removeSettled = compileListQuery(1, (keys) =>
  compileQuery((database) =>
    database.deleteFrom('rate_limits').where('arrival_at', '<', slot<number>(0)).where('key', 'in', keys),
  ),
);

const forgetOldFailures = compileQuery((database) =>
  database.deleteFrom('paused_names').where('paused_at', 'is', null).where('last_failed_at', '<', slot<number>(0)),
);

/** Names that are not paused and whose last failure is long ago start from nothing. */
export function forgetFailuresBefore(before: Date): StateOperation {
  return { sql: forgetOldFailures.sql, parameters: [before.getTime()] };
}

type Removal = (before: readonly SqlValue[], keys: readonly string[]) => ListQuery<unknown>;

function kind(table: string, query: Query<KeyRow>, removals: readonly Removal[]): ExpiredKind {
  return {
    table,
    find: finder(query),
    remove: (keys) => removals.map((removal) => toOperation(removal([], keys))),
  };
}

function toOperation({ query, parameters }: ListQuery<unknown>): StateOperation {
  return { sql: query.sql, parameters };
}

function finder(query: Query<KeyRow>): ExpiredKind['find'] {
  return async (store, before) => (await store.all(query, before.getTime(), batchSize)).map(({ key }) => key);
}
