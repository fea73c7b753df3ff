// The way of an order from `ready` to `valid` or `invalid`, RFC 8555 §7.1.6, with the lease of the copy of the gate that
// works on it. Each step is a compare-and-swap; a worker whose lease went to another copy changes nothing. What waits is a
// lease of nobody that ends when it is time.

import type { StateOperation, StateStore } from '@gatehouse/runtime/database/state-store';
import { type Selectable, sql } from 'kysely';
import { type Lease, StateChangedError } from './authorizations.ts';
import type { OrderStatus, OrderTable } from './database.ts';
import { type Order, toOrder } from './orders.ts';
import { compileQuery, slot } from './queries.ts';

type Row = Selectable<OrderTable>;

/** What a finalize request leaves behind. */
export type Finalization = {
  /** The request, flattened JWS as received, JSON. */
  readonly finalize: string;
  /** JWK that signed it, canonical JSON. */
  readonly jwk: string;
  /** PKCS#10, DER. */
  readonly certificationRequest: Uint8Array;
};

const processing = sql.lit<OrderStatus>('processing');

const begin = compileQuery((database) =>
  database
    .updateTable('orders')
    .set({
      status: processing,
      finalize: slot(0),
      finalize_jwk: slot(1),
      certification_request: slot(2),
      lease_owner: slot(3),
      lease_until: slot(4),
      attempts: sql.lit(1),
    })
    .where('id', '=', slot<string>(5))
    .where('status', '=', sql.lit<OrderStatus>('ready'))
    .where('expires_at', '>', slot<number>(6)),
);

const selectWaiting = compileQuery((database) =>
  database
    .selectFrom('orders')
    .select('id')
    .where('status', '=', processing)
    .where('lease_until', '<=', slot<number>(0))
    .orderBy('lease_until')
    .limit(slot<number>(1)),
);

const take = compileQuery<Row>((database) =>
  database
    .updateTable('orders')
    .set({ lease_owner: slot(0), lease_until: slot(1), attempts: sql<number>`"attempts" + 1` })
    .where('id', '=', slot<string>(2))
    .where('status', '=', processing)
    .where('lease_until', '<=', slot<number>(3))
    .returningAll(),
);

const renew = compileQuery((database) =>
  database
    .updateTable('orders')
    .set({ lease_until: slot(0) })
    .where('id', '=', slot<string>(1))
    .where('status', '=', processing)
    .where('lease_owner', '=', slot<string>(2))
    .returning('id'),
);

const postpone = compileQuery((database) =>
  database
    .updateTable('orders')
    .set({ lease_owner: sql.lit(null), lease_until: slot(0), next_attempt_at: slot(1) })
    .where('id', '=', slot<string>(2))
    .where('status', '=', processing)
    .where('lease_owner', '=', slot<string>(3)),
);

const complete = compileQuery((database) =>
  database
    .updateTable('orders')
    .set({
      status: sql.lit<OrderStatus>('valid'),
      certificate_id: slot(0),
      lease_owner: sql.lit(null),
      lease_until: sql.lit(null),
      next_attempt_at: sql.lit(null),
    })
    .where('id', '=', slot<string>(1))
    .where('status', '=', processing)
    .where('lease_owner', '=', slot<string>(2)),
);

const fail = compileQuery((database) =>
  database
    .updateTable('orders')
    .set({
      status: sql.lit<OrderStatus>('invalid'),
      error: slot(0),
      lease_owner: sql.lit(null),
      lease_until: sql.lit(null),
      next_attempt_at: sql.lit(null),
    })
    .where('id', '=', slot<string>(1))
    .where('status', '=', processing)
    .where('lease_owner', '=', slot<string>(2)),
);

/** A ready order becomes processing, leased from the start. Fails with {@link StateChangedError} when it is not ready. */
export function beginIssuance(
  orderId: string,
  { finalize, jwk, certificationRequest }: Finalization,
  { owner, until }: Lease,
  now: Date,
): StateOperation {
  return {
    sql: begin.sql,
    parameters: [finalize, jwk, certificationRequest, owner, until.getTime(), orderId, now.getTime()],
    expects: { rows: 1, otherwise: () => new StateChangedError('the order is not ready') },
  };
}

/** Ids of orders that are processing and that nobody works on now. */
export async function listWaitingOrders(store: StateStore, now: Date, limit: number): Promise<readonly string[]> {
  return (await store.all(selectWaiting, now.getTime(), limit)).map(({ id }) => id);
}

/** Takes an order on. @returns nothing when another one was first */
export async function takeIssuance(
  store: StateStore,
  orderId: string,
  { owner, until }: Lease,
  now: Date,
): Promise<Order | undefined> {
  const [row] = await store.write<Row>(take, owner, until.getTime(), orderId, now.getTime());
  return row === undefined ? undefined : toOrder(row);
}

/** Prolongs a lease. @returns whether it was still held */
export async function renewIssuance(store: StateStore, orderId: string, { owner, until }: Lease): Promise<boolean> {
  return (await store.write(renew, until.getTime(), orderId, owner)).length > 0;
}

/** Leaves an order to whoever comes first after `until`. */
export function postponeIssuance(orderId: string, owner: string, until: Date): StateOperation {
  return { sql: postpone.sql, parameters: [until.getTime(), until.getTime(), orderId, owner] };
}

/** A processing order becomes valid. Fails with {@link StateChangedError} when the lease was lost. */
export function completeOrder(orderId: string, owner: string, certificateId: string): StateOperation {
  return {
    sql: complete.sql,
    parameters: [certificateId, orderId, owner],
    expects: { rows: 1, otherwise: leaseLost },
  };
}

/** A processing order becomes invalid. Fails as {@link completeOrder}. @param error problem document, JSON */
export function failOrder(orderId: string, owner: string, error: string): StateOperation {
  return { sql: fail.sql, parameters: [error, orderId, owner], expects: { rows: 1, otherwise: leaseLost } };
}

function leaseLost(): Error {
  return new StateChangedError('the lease of the order was lost');
}
