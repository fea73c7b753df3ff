// Orders (RFC 8555 §7.1.3) as they are stored. Every change of status is a compare-and-swap on the status before, so that
// nothing goes back and of two copies of the gate one is second; what a change means for the authorizations stands where
// it is committed together with theirs.

import type { StateOperation, StateStore } from '@gatehouse/runtime/database/state-store';
import { type Selectable, sql } from 'kysely';
import type { Identifier } from '../identifier.ts';
import type { OrderStatus, OrderTable } from './database.ts';
import { compileInsert, compileQuery, slot } from './queries.ts';

/** An order that is to be stored. */
export type NewOrder = {
  /** Unguessable, base64url. */
  readonly id: string;
  readonly accountId: string;
  readonly status: 'pending' | 'ready';
  readonly identifiers: readonly Identifier[];
  /** SHA-256 of the set, hexadecimal. */
  readonly identifiersDigest: string;
  /** Name of the ACME profile. */
  readonly profile: string;
  /** Demanded exactly by the client; nothing where the profile decides. */
  readonly notBefore: Date | undefined;
  readonly notAfter: Date | undefined;
  /** Ids, in the order of the identifiers. */
  readonly authorizations: readonly string[];
  /** How many of them are not valid yet. */
  readonly pendingAuthorizations: number;
  /** RFC 9773 §5: certID. */
  readonly replaces: string | undefined;
  readonly createdAt: Date;
  readonly expiresAt: Date;
};

/** An order as stored. Its status is judged by {@link Order.expiresAt} when it is shown: see order.ts. */
export type Order = Omit<NewOrder, 'status' | 'identifiersDigest'> & {
  /** Order of creation. */
  readonly position: number;
  readonly status: OrderStatus;
  /** Problem document, JSON. */
  readonly error: string | undefined;
  /** The finalize request, flattened JWS as received, JSON. */
  readonly finalize: string | undefined;
  /** JWK that signed it, canonical JSON. */
  readonly finalizeJwk: string | undefined;
  /** PKCS#10, DER. */
  readonly certificationRequest: Uint8Array | undefined;
  readonly certificateId: string | undefined;
  readonly leaseOwner: string | undefined;
  readonly leaseUntil: Date | undefined;
  /** How often issuance was tried. */
  readonly attempts: number;
  readonly nextAttemptAt: Date | undefined;
};

type Row = Selectable<OrderTable>;

const insert = compileInsert('orders', [
  'id',
  'account_id',
  'status',
  'identifiers',
  'identifiers_digest',
  'profile',
  'not_before',
  'not_after',
  'authorizations',
  'pending_authorizations',
  'replaces',
  'created_at',
  'expires_at',
  'attempts',
]);

const select = compileQuery((database) => database.selectFrom('orders').selectAll().where('id', '=', slot<string>(0)));

// RFC 8555 §7.1.2.1: invalid orders should not be listed; what expired before it was finalized is invalid.
const selectListed = compileQuery((database) =>
  database
    .selectFrom('orders')
    .select(['id', 'position'])
    .where('account_id', '=', slot<string>(0))
    .where('position', '>', slot<number>(1))
    .where('status', '<>', sql.lit<OrderStatus>('invalid'))
    .where((where) =>
      where.or([
        where('status', 'in', [sql.lit<OrderStatus>('processing'), sql.lit<OrderStatus>('valid')]),
        where('expires_at', '>', slot<number>(2)),
      ]),
    )
    .orderBy('position')
    .limit(slot<number>(3)),
);

// The last authorization that becomes valid makes its order ready in the same commit (acme.md §3, rule 1).
const countDown = compileQuery((database) =>
  database
    .updateTable('orders')
    .set({
      pending_authorizations: sql<number>`"pending_authorizations" - 1`,
      status: sql<OrderStatus>`case when "pending_authorizations" <= 1 then 'ready' else 'pending' end`,
    })
    .where('id', '=', slot<string>(0))
    .where('status', '=', sql.lit<OrderStatus>('pending')),
);

const openStatuses = [sql.lit<OrderStatus>('pending'), sql.lit<OrderStatus>('ready')];

const invalidate = compileQuery((database) =>
  database
    .updateTable('orders')
    .set({ status: sql.lit<OrderStatus>('invalid'), error: slot<string>(0) })
    .where('id', '=', slot<string>(1))
    .where('status', 'in', openStatuses),
);

const invalidateOf = compileQuery((database) =>
  database
    .updateTable('orders')
    .set({ status: sql.lit<OrderStatus>('invalid'), error: slot<string>(0) })
    .where('account_id', '=', slot<string>(1))
    .where('status', 'in', openStatuses),
);

const invalidateUsing = compileQuery((database) =>
  database
    .updateTable('orders')
    .set({ status: sql.lit<OrderStatus>('invalid'), error: slot<string>(0) })
    .where('account_id', '=', slot<string>(1))
    .where('status', 'in', openStatuses)
    .where('expires_at', '>', slot<number>(2))
    .where('authorizations', 'like', slot<string>(3)),
);

/** Stores an order. Fails with DatabaseError `unique` when another one replaces the same certificate (RFC 9773 §5). */
export function insertOrder(order: NewOrder): StateOperation {
  return {
    sql: insert.sql,
    parameters: [
      order.id,
      order.accountId,
      order.status,
      JSON.stringify(order.identifiers),
      order.identifiersDigest,
      order.profile,
      order.notBefore?.getTime() ?? null,
      order.notAfter?.getTime() ?? null,
      JSON.stringify(order.authorizations),
      order.pendingAuthorizations,
      order.replaces ?? null,
      order.createdAt.getTime(),
      order.expiresAt.getTime(),
      0,
    ],
  };
}

/** The order with this id. */
export async function readOrder(store: StateStore, id: string): Promise<Order | undefined> {
  const row = await store.one<Row>(select, id);
  return row === undefined ? undefined : toOrder(row);
}

/** Ids and positions of the orders of an account that are not invalid, oldest first, after a position. */
export async function listOrders(
  store: StateStore,
  accountId: string,
  after: number,
  now: Date,
  limit: number,
): Promise<readonly { readonly id: string; readonly position: number }[]> {
  return await store.all(selectListed, accountId, after, now.getTime(), limit);
}

/** One authorization of a pending order became valid; with the last one the order is ready. */
export function countValidAuthorization(orderId: string): StateOperation {
  return { sql: countDown.sql, parameters: [orderId] };
}

/** An order that is pending or ready becomes invalid. @param error problem document, JSON */
export function invalidateOrder(orderId: string, error: string): StateOperation {
  return { sql: invalidate.sql, parameters: [error, orderId] };
}

/** All orders of an account that are pending or ready become invalid (RFC 8555 §7.3.6). @param error problem document, JSON */
export function invalidateOrdersOf(accountId: string, error: string): StateOperation {
  return { sql: invalidateOf.sql, parameters: [error, accountId] };
}

/** The open orders of an account that stand on an authorization become invalid (RFC 8555 §7.5.2). @param error problem document, JSON */
export function invalidateOrdersUsing(
  accountId: string,
  authorizationId: string,
  now: Date,
  error: string,
): StateOperation {
  // `_` stands for any one character, so that too many rows might match; ids have 128 random bits beside it.
  return { sql: invalidateUsing.sql, parameters: [error, accountId, now.getTime(), `%"${authorizationId}"%`] };
}

/** The domain's form of a row. */
export function toOrder(row: Row): Order {
  return {
    position: row.position,
    id: row.id,
    accountId: row.account_id,
    status: row.status,
    identifiers: JSON.parse(row.identifiers),
    profile: row.profile,
    notBefore: row.not_before === null ? undefined : new Date(row.not_before),
    notAfter: row.not_after === null ? undefined : new Date(row.not_after),
    authorizations: JSON.parse(row.authorizations),
    pendingAuthorizations: row.pending_authorizations,
    replaces: row.replaces ?? undefined,
    error: row.error ?? undefined,
    createdAt: new Date(row.created_at),
    expiresAt: new Date(row.expires_at),
    finalize: row.finalize ?? undefined,
    finalizeJwk: row.finalize_jwk ?? undefined,
    certificationRequest: row.certification_request ?? undefined,
    certificateId: row.certificate_id ?? undefined,
    leaseOwner: row.lease_owner ?? undefined,
    leaseUntil: row.lease_until === null ? undefined : new Date(row.lease_until),
    attempts: row.attempts,
    nextAttemptAt: row.next_attempt_at === null ? undefined : new Date(row.next_attempt_at),
  };
}
