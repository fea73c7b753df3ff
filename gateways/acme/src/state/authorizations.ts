// Authorizations (RFC 8555 §7.1.4) as they are stored, each with the one challenge that was attempted. Every change of status is
// a compare-and-swap on the status before; how one is validated stands in validations.ts.

import type { StateOperation, StateStore } from '@gatehouse/runtime/database/state-store';
import { type Selectable, sql } from 'kysely';
import { type ChallengeType, challengeTypes } from '../config.ts';
import type { AuthorizedIdentifier } from '../identifier.ts';
import type { AuthorizationStatus, AuthorizationTable } from './database.ts';
import { compileListQuery } from './lists.ts';
import { compileInsert, compileQuery, slot } from './queries.ts';

/** An authorization that is to be stored. */
export type NewAuthorization = {
  /** Unguessable, base64url. */
  readonly id: string;
  readonly accountId: string;
  /** The one order that waits for it; nothing for a pre-authorization (RFC 8555 §7.4.1). */
  readonly orderId: string | undefined;
  /** `valid` when the external account authorised the name beforehand. */
  readonly status: 'pending' | 'valid';
  readonly identifier: AuthorizedIdentifier;
  /** Name of the ACME profile that it was made for. */
  readonly profile: string;
  /** 256 bits, base64url. */
  readonly token: string;
  /** Challenges that are offered. */
  readonly methods: readonly ChallengeType[];
  /** Key id of the external account that authorised it beforehand. */
  readonly externalAccount: string | undefined;
  readonly createdAt: Date;
  readonly expiresAt: Date;
};

/** An authorization as stored. Its status is judged by `expiresAt` when it is shown: see authorization.ts. */
export type Authorization = Omit<NewAuthorization, 'status'> & {
  readonly status: AuthorizationStatus;
  /** The challenge that was attempted; nothing before. */
  readonly method: ChallengeType | undefined;
  /** RFC 7638 of the key that signed the challenge request, pinned for the validation. */
  readonly thumbprint: string | undefined;
  readonly validatedAt: Date | undefined;
  /** Problem document of the challenge, JSON. */
  readonly error: string | undefined;
  readonly leaseOwner: string | undefined;
  readonly leaseUntil: Date | undefined;
};

/** Who works on a validation, and until when others keep away. */
export type Lease = { readonly owner: string; readonly until: Date };

/** A compare-and-swap found another state: somebody else was first, or has the lease now. */
export class StateChangedError extends Error {
  override readonly name = 'StateChangedError';
  readonly code = 'state-changed';
}

type Row = Selectable<AuthorizationTable>;

const insert = compileInsert('authorizations', [
  'id',
  'account_id',
  'order_id',
  'status',
  'identifier_type',
  'identifier_value',
  'is_wildcard',
  'profile',
  'token',
  'methods',
  'validated_at',
  'external_account',
  'created_at',
  'expires_at',
]);

const selectOf = compileListQuery(0, (ids) =>
  compileQuery((database) => database.selectFrom('authorizations').selectAll().where('id', 'in', ids)),
);

const selectOne = compileQuery((database) =>
  database.selectFrom('authorizations').selectAll().where('id', '=', slot<string>(0)),
);

// Only what was validated: what an external account authorises beforehand is judged for each order anew.
const selectReusable = compileListQuery(3, (names) =>
  compileQuery((database) =>
    database
      .selectFrom('authorizations')
      .selectAll()
      .where('account_id', '=', slot<string>(0))
      .where('expires_at', '>', slot<number>(1))
      .where('profile', '=', slot<string>(2))
      .where('identifier_value', 'in', names)
      .where('status', '=', sql.lit<AuthorizationStatus>('valid'))
      .where('external_account', 'is', null)
      .orderBy('expires_at', 'desc')
      .limit(sql.lit(1_000)),
  ),
);

const selectValidNames = compileListQuery(2, (names) =>
  compileQuery((database) =>
    database
      .selectFrom('authorizations')
      .select(['identifier_type', 'identifier_value', 'is_wildcard'])
      .distinct()
      .where('account_id', '=', slot<string>(0))
      .where('expires_at', '>', slot<number>(1))
      .where('identifier_value', 'in', names)
      .where('status', '=', sql.lit<AuthorizationStatus>('valid'))
      .limit(sql.lit(1_000)),
  ),
);

const liveStatuses = [sql.lit<AuthorizationStatus>('pending'), sql.lit<AuthorizationStatus>('valid')];

const deactivate = compileQuery((database) =>
  database
    .updateTable('authorizations')
    .set({
      status: sql.lit<AuthorizationStatus>('deactivated'),
      lease_owner: sql.lit(null),
      lease_until: sql.lit(null),
    })
    .where('id', '=', slot<string>(0))
    .where('status', 'in', liveStatuses),
);

const deactivateOf = compileQuery((database) =>
  database
    .updateTable('authorizations')
    .set({
      status: sql.lit<AuthorizationStatus>('deactivated'),
      lease_owner: sql.lit(null),
      lease_until: sql.lit(null),
    })
    .where('account_id', '=', slot<string>(0))
    .where('status', 'in', liveStatuses),
);

/** Stores an authorization. */
export function insertAuthorization(authorization: NewAuthorization): StateOperation {
  const { identifier, status, createdAt } = authorization;
  return {
    sql: insert.sql,
    parameters: [
      authorization.id,
      authorization.accountId,
      authorization.orderId ?? null,
      status,
      identifier.type,
      identifier.value,
      identifier.isWildcard ? 1 : 0,
      authorization.profile,
      authorization.token,
      JSON.stringify(authorization.methods),
      status === 'valid' ? createdAt.getTime() : null,
      authorization.externalAccount ?? null,
      createdAt.getTime(),
      authorization.expiresAt.getTime(),
    ],
  };
}

/** The authorization with this id. */
export async function readAuthorization(store: StateStore, id: string): Promise<Authorization | undefined> {
  const row = await store.one<Row>(selectOne, id);
  return row === undefined ? undefined : toAuthorization(row);
}

/** Those of 1 to 100 ids that exist, in the order of the ids. */
export async function readAuthorizations(store: StateStore, ids: readonly string[]): Promise<readonly Authorization[]> {
  const { query, parameters } = selectOf([], ids);
  const rows = new Map((await store.all<Row>(query, ...parameters)).map((row) => [row.id, row]));
  return ids.flatMap((id) => {
    const row = rows.get(id);
    return row === undefined ? [] : [toAuthorization(row)];
  });
}

/** Valid authorizations of an account for any of 1 to 100 names and for a profile, the longest-lived first. */
export async function readReusable(
  store: StateStore,
  accountId: string,
  profile: string,
  names: readonly string[],
  now: Date,
): Promise<readonly Authorization[]> {
  const { query, parameters } = selectReusable([accountId, now.getTime(), profile], names);
  return (await store.all<Row>(query, ...parameters)).map(toAuthorization);
}

/**
 * What an account holds valid authorizations for, of 1 to 100 names: who may revoke by them (RFC 8555 §7.6).
 *
 * @param names without `*.`
 */
export async function readAuthorizedIdentifiers(
  store: StateStore,
  accountId: string,
  names: readonly string[],
  now: Date,
): Promise<readonly AuthorizedIdentifier[]> {
  const { query, parameters } = selectValidNames([accountId, now.getTime()], names);
  return (await store.all(query, ...parameters)).map((row) => ({
    type: row.identifier_type,
    value: row.identifier_value,
    isWildcard: row.is_wildcard !== 0,
  }));
}

/** RFC 8555 §7.5.2. Fails with {@link StateChangedError} when it is neither pending nor valid any more. */
export function deactivateAuthorization(id: string): StateOperation {
  return {
    sql: deactivate.sql,
    parameters: [id],
    expects: { rows: 1, otherwise: () => new StateChangedError('the authorization is neither pending nor valid') },
  };
}

/** All authorizations of an account that are pending or valid are deactivated (RFC 8555 §7.3.6). */
export function deactivateAuthorizationsOf(accountId: string): StateOperation {
  return { sql: deactivateOf.sql, parameters: [accountId] };
}

/** The domain's form of a row. */
export function toAuthorization(row: Row): Authorization {
  return {
    id: row.id,
    accountId: row.account_id,
    orderId: row.order_id ?? undefined,
    status: row.status,
    identifier: { type: row.identifier_type, value: row.identifier_value, isWildcard: row.is_wildcard !== 0 },
    profile: row.profile,
    token: row.token,
    methods: JSON.parse(row.methods),
    method: isChallengeType(row.method) ? row.method : undefined,
    thumbprint: row.thumbprint ?? undefined,
    validatedAt: row.validated_at === null ? undefined : new Date(row.validated_at),
    error: row.error ?? undefined,
    externalAccount: row.external_account ?? undefined,
    createdAt: new Date(row.created_at),
    expiresAt: new Date(row.expires_at),
    leaseOwner: row.lease_owner ?? undefined,
    leaseUntil: row.lease_until === null ? undefined : new Date(row.lease_until),
  };
}

function isChallengeType(text: string | null): text is ChallengeType {
  return challengeTypes.some((type) => type === text);
}
