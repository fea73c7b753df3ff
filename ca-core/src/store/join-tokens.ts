// Join tokens by the id in their certificate: each buys one credential, once, before it expires.
// The token itself holds a private key and is never stored; what is kept here opens nothing.

import { CoreError } from '@gatehouse/proto/core-error';
import type { JoinTokenKind } from './database.ts';
import { compileInsert, compileQuery, slot } from './queries.ts';
import type { StoreReader } from './statements.ts';
import type { WriteOperation } from './write-set.ts';

export type { JoinTokenKind };

/** A join token as stored. */
export type StoredJoinToken = {
  readonly id: string;
  readonly kind: JoinTokenKind;
  /** Of the RA or perspective that it is for. */
  readonly name: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly usedAt: Date | undefined;
};

/** Used and expired tokens are kept this long, so that a second use is told from a token that never was. */
export const joinTokenRetentionMs = 30 * 24 * 60 * 60 * 1000;

const insert = compileInsert('join_tokens', ['id', 'kind', 'registration_authority', 'created_at', 'expires_at']);

const select = compileQuery((database) =>
  database.selectFrom('join_tokens').selectAll().where('id', '=', slot<string>(0)),
);

const use = compileQuery((database) =>
  database
    .updateTable('join_tokens')
    .set({ used_at: slot(0) })
    .where('id', '=', slot<string>(1))
    .where('used_at', 'is', null)
    .where('expires_at', '>', slot<number>(2)),
);

const removeOld = compileQuery((database) =>
  database.deleteFrom('join_tokens').where('expires_at', '<', slot<number>(0)),
);

/** Records a token. */
export function insertJoinToken(token: Omit<StoredJoinToken, 'usedAt'>): WriteOperation {
  const { id, kind, name, createdAt, expiresAt } = token;
  return { sql: insert.sql, parameters: [id, kind, name, createdAt.getTime(), expiresAt.getTime()] };
}

/** The token with this id. Throws CoreError `unavailable`. */
export function findJoinToken(store: StoreReader, id: string): StoredJoinToken | undefined {
  const row = store.one(select, id);
  if (row === undefined) return undefined;
  return {
    id: row.id,
    kind: row.kind,
    name: row.registration_authority,
    createdAt: new Date(row.created_at),
    expiresAt: new Date(row.expires_at),
    usedAt: row.used_at === null ? undefined : new Date(row.used_at),
  };
}

/**
 * Uses a token up, in the set that records what it bought: of two that come at once, one fails. Fails with CoreError
 * `unauthorized`.
 */
export function useJoinToken(id: string, usedAt: Date): WriteOperation {
  const at = usedAt.getTime();
  return {
    sql: use.sql,
    parameters: [at, id, at],
    expects: { rows: 1, otherwise: () => new CoreError('unauthorized', 'the join token was used or has expired') },
  };
}

/** Forgets tokens that expired longer than {@link joinTokenRetentionMs} ago. */
export function removeOldJoinTokens(now: Date): WriteOperation {
  return { sql: removeOld.sql, parameters: [now.getTime() - joinTokenRetentionMs] };
}
