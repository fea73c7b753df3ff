// The orders of an account, RFC 8555 §7.1.2.1, in pages: a page says where the next one begins, so that a list that grows
// meanwhile neither repeats an order nor leaves one out.

import { AcmeError, notFound } from './errors.ts';
import type { Operation } from './exchange.ts';
import { listOrders as readPage } from './state/orders.ts';

/** POST-as-GET to the list of orders. */
export const listOrders: Operation = async ({ store, clock, urls, configuration }, { account, base, url }, { id }) => {
  if (id !== account.id) throw notFound('account');
  const size = configuration.ordersPerPage;
  const rows = await readPage(store, account.id, readCursor(url), clock.now(), size + 1);
  const page = rows.slice(0, size);
  const last = page.at(-1);
  const next =
    rows.length > size && last !== undefined
      ? [{ url: `${urls.orders(base, account.id)}?cursor=${writeCursor(last.position)}`, rel: 'next' }]
      : [];
  return { status: 200, body: { orders: page.map((order) => urls.order(base, order.id)) }, links: next };
};

// Opaque to clients, which follow the link; the position of an order says nothing to anybody else.
function writeCursor(position: number): string {
  return Buffer.from(`after ${position}`).toString('base64url');
}

function readCursor(url: string): number {
  const query = url.indexOf('?');
  if (query < 0) return 0;
  const [, cursor = ''] = /^cursor=([A-Za-z0-9_-]{1,64})$/.exec(url.slice(query + 1)) ?? [];
  const [, position] = /^after (\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (position === undefined) throw new AcmeError('malformed', 'the cursor is not from a link of this list');
  return Number(position);
}
