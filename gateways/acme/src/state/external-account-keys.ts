// Keys of external accounts, RFC 8555 §7.3.4, with what each allows. The secret is a key for MACs and is needed as it is;
// it leaves this table for the verification of a binding, and once, when the key is made.

import type { StateOperation, StateStore } from '@gatehouse/runtime/database/state-store';
import { type Selectable, sql } from 'kysely';
import type { ExternalAccountKeyTable } from './database.ts';
import { compileInsert, compileQuery, slot } from './queries.ts';

/** A key as it is now. */
export type ExternalAccountKey = {
  readonly keyId: string;
  /** At least 32 octets. */
  readonly secret: Uint8Array;
  /** For people. */
  readonly description: string;
  /** JSON of an ExternalAccountPolicy. */
  readonly policy: string;
  readonly isSingleUse: boolean;
  /** Undefined without limit. */
  readonly maximumAccounts: number | undefined;
  /** How many accounts were made with it. */
  readonly accounts: number;
  readonly createdAt: Date;
  /** After that no account can be made with it; those that were stay. */
  readonly expiresAt: Date | undefined;
  /** From then on its accounts may order nothing either. */
  readonly revokedAt: Date | undefined;
};

type Row = Selectable<ExternalAccountKeyTable>;

const select = compileQuery((database) =>
  database.selectFrom('external_account_keys').selectAll().where('key_id', '=', slot<string>(0)),
);

const selectPage = compileQuery((database) =>
  database
    .selectFrom('external_account_keys')
    .selectAll()
    .where('key_id', '>', slot<string>(0))
    .orderBy('key_id')
    .limit(slot<number>(1)),
);

const insert = compileInsert('external_account_keys', [
  'key_id',
  'secret',
  'description',
  'policy',
  'is_single_use',
  'maximum_accounts',
  'accounts',
  'created_at',
  'expires_at',
]);

const revoke = compileQuery((database) =>
  database
    .updateTable('external_account_keys')
    .set({ revoked_at: slot<number>(0) })
    .where('key_id', '=', slot<string>(1))
    .where('revoked_at', 'is', null),
);

// Judged again where it is spent: of two accounts that race for the last use, one is made.
const spend = compileQuery((database) =>
  database
    .updateTable('external_account_keys')
    .set({ accounts: sql<number>`"accounts" + 1` })
    .where('key_id', '=', slot<string>(0))
    .where('revoked_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', slot<number>(1))]))
    .where((where) => where.or([where('is_single_use', '=', sql.lit(0)), where('accounts', '=', sql.lit(0))]))
    .where((where) =>
      where.or([where('maximum_accounts', 'is', null), where('accounts', '<', where.ref('maximum_accounts'))]),
    ),
);

/** The key with this id, whatever its state. */
export async function readExternalAccountKey(
  store: StateStore,
  keyId: string,
): Promise<ExternalAccountKey | undefined> {
  const row = await store.one<Row>(select, keyId);
  return row === undefined ? undefined : toKey(row);
}

/** Keys in the order of their ids. @param after id after which the page begins; empty for the first one */
export async function listExternalAccountKeys(
  store: StateStore,
  after: string,
  limit: number,
): Promise<readonly ExternalAccountKey[]> {
  return (await store.all<Row>(selectPage, after, limit)).map(toKey);
}

/** Stores a key that nothing was done with. Fails with DatabaseError `unique` when its id is taken. */
export function insertExternalAccountKey(key: Omit<ExternalAccountKey, 'accounts' | 'revokedAt'>): StateOperation {
  return {
    sql: insert.sql,
    parameters: [
      key.keyId,
      key.secret,
      key.description,
      key.policy,
      key.isSingleUse ? 1 : 0,
      key.maximumAccounts ?? null,
      0,
      key.createdAt.getTime(),
      key.expiresAt?.getTime() ?? null,
    ],
  };
}

/** Revokes a key that is not revoked. @param otherwise what the commit fails with when there is none */
export function revokeExternalAccountKey(keyId: string, now: Date, otherwise: () => Error): StateOperation {
  return { sql: revoke.sql, parameters: [now.getTime(), keyId], expects: { rows: 1, otherwise } };
}

/** An account is made with a key. @param otherwise what the commit fails with when the key is spent, expired or revoked by then */
export function spendExternalAccountKey(keyId: string, now: Date, otherwise: () => Error): StateOperation {
  return { sql: spend.sql, parameters: [keyId, now.getTime()], expects: { rows: 1, otherwise } };
}

function toKey(row: Row): ExternalAccountKey {
  return {
    keyId: row.key_id,
    secret: row.secret,
    description: row.description,
    policy: row.policy,
    isSingleUse: row.is_single_use === 1,
    maximumAccounts: row.maximum_accounts ?? undefined,
    accounts: row.accounts,
    createdAt: new Date(row.created_at),
    expiresAt: row.expires_at === null ? undefined : new Date(row.expires_at),
    revokedAt: row.revoked_at === null ? undefined : new Date(row.revoked_at),
  };
}
