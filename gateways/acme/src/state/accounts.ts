// Accounts and their keys, RFC 8555 §7.1.2: read by id and by key, and the operations that change them.
// A row is read for each request and never cached: what another copy of the gate deactivated is deactivated here.

import type { StateOperation, StateStore } from '@gatehouse/runtime/database/state-store';
import { type Selectable, sql } from 'kysely';
import { AcmeError } from '../errors.ts';
import type { AccountTable } from './database.ts';
import { compileInsert, compileQuery, slot } from './queries.ts';

/** An account as it is now. */
export type Account = {
  readonly id: string;
  /** Absolute URL, as the client got it; it never changes. */
  readonly url: string;
  readonly status: AccountTable['status'];
  /** JWK of the current key, canonical JSON. */
  readonly jwk: string;
  /** RFC 7638 of the current key, base64url. */
  readonly thumbprint: string;
  readonly contact: readonly string[];
  readonly termsOfServiceAgreed: boolean;
  /** Key id of the external account. */
  readonly externalAccount: string | undefined;
  /** The externalAccountBinding as the client sent it, JSON. */
  readonly externalAccountBinding: string | undefined;
  readonly createdAt: Date;
};

/** An account that is to be made. */
export type NewAccount = Omit<Account, 'status'> & {
  /** Address of the client. */
  readonly createdFrom: string;
};

/** A key that an account has or had. */
export type AccountKey = { readonly accountId: string; readonly isCurrent: boolean };

/** Another account has the key, or had it: who wanted it asks again who that is. */
export class KeyInUseError extends Error {
  override readonly name = 'KeyInUseError';
  readonly code = 'key-in-use';
}

/** A link in the chain of keys of an account: evidence that a former key handed over to the next one. */
export type KeyChange = {
  readonly thumbprint: string;
  /** The outer JWS of the key change that brought it, JSON; undefined for the first key. */
  readonly keyChange: string | undefined;
};

type Row = Selectable<AccountTable>;

const select = compileQuery((database) =>
  database.selectFrom('accounts').selectAll().where('id', '=', slot<string>(0)),
);

const selectKey = compileQuery((database) =>
  database.selectFrom('account_keys').select(['account_id', 'replaced_at']).where('thumbprint', '=', slot<string>(0)),
);

/** Keys that an account may have had: all of them are kept, and may be evidence. */
export const mostAccountKeys = 100;

const selectKeys = compileQuery((database) =>
  database
    .selectFrom('account_keys')
    .select(['thumbprint', 'key_change'])
    .where('account_id', '=', slot<string>(0))
    .orderBy('created_at', 'desc')
    .orderBy('replaced_at')
    .limit(sql.lit(mostAccountKeys)),
);

const countKeys = compileQuery((database) =>
  database
    .selectFrom('account_keys')
    .select((select) => select.fn.countAll<number>().as('keys'))
    .where('account_id', '=', slot<string>(0)),
);

const insertKey = compileQuery((database) =>
  database
    .insertInto('account_keys')
    .values({
      thumbprint: slot(0),
      account_id: slot(1),
      key_change: slot(2),
      created_at: slot(3),
      replaced_at: sql.lit(null),
    })
    .onConflict((conflict) => conflict.doNothing()),
);

const insert = compileInsert('accounts', [
  'id',
  'url',
  'status',
  'jwk',
  'thumbprint',
  'contact',
  'terms_of_service_agreed',
  'external_account',
  'external_account_binding',
  'created_at',
  'created_from',
]);

const updateContact = compileQuery((database) =>
  database
    .updateTable('accounts')
    .set({ contact: slot<string>(0) })
    .where('id', '=', slot<string>(1))
    .where('status', '=', sql.lit<Account['status']>('valid')),
);

const deactivate = compileQuery((database) =>
  database
    .updateTable('accounts')
    .set({ status: sql.lit<Account['status']>('deactivated'), deactivated_at: slot<number>(0) })
    .where('id', '=', slot<string>(1))
    .where('status', '=', sql.lit<Account['status']>('valid')),
);

const retireKey = compileQuery((database) =>
  database
    .updateTable('account_keys')
    .set({ replaced_at: slot<number>(0) })
    .where('thumbprint', '=', slot<string>(1))
    .where('account_id', '=', slot<string>(2))
    .where('replaced_at', 'is', null),
);

const updateKey = compileQuery((database) =>
  database
    .updateTable('accounts')
    .set({ jwk: slot<string>(0), thumbprint: slot<string>(1) })
    .where('id', '=', slot<string>(2))
    .where('thumbprint', '=', slot<string>(3))
    .where('status', '=', sql.lit<Account['status']>('valid')),
);

/** The account with this id. */
export async function readAccount(store: StateStore, id: string): Promise<Account | undefined> {
  const row = await store.one<Row>(select, id);
  return row === undefined ? undefined : toAccount(row);
}

/** Who has a key, or had it. */
export async function readAccountKey(store: StateStore, thumbprint: string): Promise<AccountKey | undefined> {
  const row = await store.one(selectKey, thumbprint);
  return row === undefined ? undefined : { accountId: row.account_id, isCurrent: row.replaced_at === null };
}

/** Every key that an account has or had, the newest first. dns-persist-01 records may name any of them. */
export async function readAccountKeys(store: StateStore, accountId: string): Promise<readonly KeyChange[]> {
  const rows = await store.all(selectKeys, accountId);
  return rows.map((row) => ({ thumbprint: row.thumbprint, keyChange: row.key_change ?? undefined }));
}

/** How many keys an account has or had. */
export async function countAccountKeys(store: StateStore, accountId: string): Promise<number> {
  return (await store.one(countKeys, accountId))?.keys ?? 0;
}

/** Makes an account. The commit fails with {@link KeyInUseError} when its key is not new. */
export function insertAccount(account: NewAccount): readonly StateOperation[] {
  return [
    takeKey(account.thumbprint, account.id, null, account.createdAt),
    {
      sql: insert.sql,
      parameters: [
        account.id,
        account.url,
        'valid',
        account.jwk,
        account.thumbprint,
        JSON.stringify(account.contact),
        account.termsOfServiceAgreed ? 1 : 0,
        account.externalAccount ?? null,
        account.externalAccountBinding ?? null,
        account.createdAt.getTime(),
        account.createdFrom,
      ],
    },
  ];
}

/** Replaces the contacts of a valid account. */
export function setContact(accountId: string, contact: readonly string[]): StateOperation {
  return { sql: updateContact.sql, parameters: [JSON.stringify(contact), accountId], expects: whileValid };
}

/** Ends a valid account, RFC 8555 §7.3.6; its orders and authorizations are for the caller. */
export function deactivateAccount(accountId: string, now: Date): StateOperation {
  return { sql: deactivate.sql, parameters: [now.getTime(), accountId], expects: whileValid };
}

/**
 * Gives a valid account another key, RFC 8555 §7.3.5. The commit fails with {@link KeyInUseError} when an account has or had
 * it.
 *
 * @param keyChange the outer JWS, JSON
 */
export function replaceKey(
  account: Account,
  next: { readonly jwk: string; readonly thumbprint: string; readonly keyChange: string },
  now: Date,
): readonly StateOperation[] {
  return [
    takeKey(next.thumbprint, account.id, next.keyChange, now),
    {
      sql: retireKey.sql,
      parameters: [now.getTime(), account.thumbprint, account.id],
      expects: whileValid,
    },
    {
      sql: updateKey.sql,
      parameters: [next.jwk, next.thumbprint, account.id, account.thumbprint],
      expects: whileValid,
    },
  ];
}

/** RFC 8555 §7.3.6. */
export function accountIsNotValid(detail = 'the account is deactivated; make another one, with a new key'): AcmeError {
  return new AcmeError('unauthorized', detail, { status: 401 });
}

/** The account changed between the signature and the commit: what was signed does not count. */
const whileValid = {
  rows: 1,
  otherwise: () => accountIsNotValid('the account is deactivated, or has another key now'),
};

function takeKey(thumbprint: string, accountId: string, keyChange: string | null, now: Date): StateOperation {
  return {
    sql: insertKey.sql,
    parameters: [thumbprint, accountId, keyChange, now.getTime()],
    expects: { rows: 1, otherwise: () => new KeyInUseError('the key is in use') },
  };
}

function toAccount(row: Row): Account {
  return {
    id: row.id,
    url: row.url,
    status: row.status,
    jwk: row.jwk,
    thumbprint: row.thumbprint,
    contact: JSON.parse(row.contact),
    termsOfServiceAgreed: row.terms_of_service_agreed === 1,
    externalAccount: row.external_account ?? undefined,
    externalAccountBinding: row.external_account_binding ?? undefined,
    createdAt: new Date(row.created_at),
  };
}
