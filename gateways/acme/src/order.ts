// An order as clients see it (RFC 8555 §7.1.3). Its expiry is judged when it is read: nobody waits for the collector to find
// out that an order is over. What is shown never goes back to an earlier status.

import type { JsonObject } from '@gatehouse/pkix/jose/json';
import { notFound } from './errors.ts';
import type { AcmeAnswer, Operation } from './exchange.ts';
import type { AcmeGate } from './gate.ts';
import { writeProblem } from './problem.ts';
import type { Account } from './state/accounts.ts';
import type { OrderStatus } from './state/database.ts';
import { type Order, readOrder } from './state/orders.ts';
import { readStoredProblem } from './stored-problem.ts';
import { formatTimestamp } from './timestamp.ts';

/** POST-as-GET of an order. */
export const getOrder: Operation = async (gate, exchange, { id }) =>
  answerOrder(gate, exchange.base, await readOwnOrder(gate, exchange.account, id));

/**
 * The order of this id, if it is this account's.
 *
 * @throws {AcmeError} 404 `malformed`; a foreign order looks like none
 */
export async function readOwnOrder(
  { store }: Pick<AcmeGate, 'store'>,
  account: Pick<Account, 'id'>,
  id: string | undefined,
): Promise<Order> {
  const order = id === undefined ? undefined : await readOrder(store, id);
  if (order === undefined || order.accountId !== account.id) throw notFound('order');
  return order;
}

/** Its status now: what was not finalized before it expired is invalid (RFC 8555 §7.1.6). */
export function orderStatus({ status, expiresAt }: Pick<Order, 'status' | 'expiresAt'>, now: Date): OrderStatus {
  return (status === 'pending' || status === 'ready') && expiresAt <= now ? 'invalid' : status;
}

/** Answers with an order; `base` is that of the request. */
export function answerOrder(
  { urls, clock, configuration }: Pick<AcmeGate, 'urls' | 'clock' | 'configuration'>,
  base: string,
  order: Order,
  status = 200,
): AcmeAnswer {
  const current = orderStatus(order, clock.now());
  return {
    status,
    body: writeOrder({ urls }, base, order, current),
    location: status === 201 ? urls.order(base, order.id) : undefined,
    retryAfterSeconds: current === 'processing' ? configuration.pollAfter.order / 1_000 : undefined,
  };
}

function writeOrder({ urls }: Pick<AcmeGate, 'urls'>, base: string, order: Order, status: OrderStatus): JsonObject {
  return {
    status,
    expires: formatTimestamp(order.expiresAt),
    identifiers: order.identifiers,
    profile: order.profile,
    notBefore: order.notBefore === undefined ? undefined : formatTimestamp(order.notBefore),
    notAfter: order.notAfter === undefined ? undefined : formatTimestamp(order.notAfter),
    replaces: order.replaces,
    error: status === 'invalid' ? errorOf(order) : undefined,
    authorizations: order.authorizations.map((id) => urls.authorization(base, id)),
    finalize: urls.finalize(base, order.id),
    certificate:
      status === 'valid' && order.certificateId !== undefined ? urls.certificate(base, order.certificateId) : undefined,
  };
}

function errorOf({ error, expiresAt }: Order): JsonObject {
  if (error === undefined) {
    const detail = `the order expired at ${formatTimestamp(expiresAt)} before it was finalized`;
    return writeProblem({ type: 'malformed', detail });
  }
  return readStoredProblem(error);
}
