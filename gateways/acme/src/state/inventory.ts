// What operators look through: accounts and orders a page at a time, the newest first. Nothing here is used by a request
// of a client, and nothing lists everything.

import type { StateStore } from '@gatehouse/runtime/database/state-store';
import { type Selectable, sql } from 'kysely';
import type { AccountTable, OrderStatus, OrderTable } from './database.ts';
import { type Order, toOrder } from './orders.ts';
import { compileQuery, slot } from './queries.ts';

/** An account with what its client does not see. */
export type ListedAccount = {
  readonly id: string;
  readonly url: string;
  readonly status: AccountTable['status'];
  readonly contact: readonly string[];
  readonly externalAccount: string | undefined;
  readonly thumbprint: string;
  readonly createdAt: Date;
  /** Address that created it. */
  readonly createdFrom: string;
  readonly deactivatedAt: Date | undefined;
};

/** How many orders an account has, by status. */
export type OrderCounts = Readonly<Partial<Record<OrderStatus, number>>>;

type AccountRow = Selectable<AccountTable>;
type OrderRow = Selectable<OrderTable>;

// A page begins after the row that the last one ended with.
const selectAccounts = compileQuery((database) =>
  database
    .selectFrom('accounts')
    .selectAll()
    .where((where) =>
      where.or([
        where('created_at', '<', slot<number>(0)),
        where.and([where('created_at', '=', slot<number>(1)), where('id', '<', slot<string>(2))]),
      ]),
    )
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(slot<number>(3)),
);

const selectAccount = compileQuery((database) =>
  database.selectFrom('accounts').selectAll().where('id', '=', slot<string>(0)),
);

const countOrders = compileQuery((database) =>
  database
    .selectFrom('orders')
    .select((select) => ['status', select.fn.countAll<number>().as('count')])
    .where('account_id', '=', slot<string>(0))
    .groupBy('status')
    .limit(sql.lit(10)),
);

const selectOrders = compileQuery((database) =>
  database
    .selectFrom('orders')
    .selectAll()
    .where('position', '<', slot<number>(0))
    .orderBy('position', 'desc')
    .limit(slot<number>(1)),
);

const selectOrdersOf = compileQuery((database) =>
  database
    .selectFrom('orders')
    .selectAll()
    .where('account_id', '=', slot<string>(0))
    .where('position', '<', slot<number>(1))
    .orderBy('position', 'desc')
    .limit(slot<number>(2)),
);

/** Accounts, the newest first. @param after the account that the last page ended with */
export async function listAccounts(
  store: StateStore,
  after: Pick<ListedAccount, 'createdAt' | 'id'> | undefined,
  limit: number,
): Promise<readonly ListedAccount[]> {
  const at = after?.createdAt.getTime() ?? Number.MAX_SAFE_INTEGER;
  return (await store.all<AccountRow>(selectAccounts, at, at, after?.id ?? '', limit)).map(toAccount);
}

/** The account with this id. */
export async function findAccount(store: StateStore, id: string): Promise<ListedAccount | undefined> {
  const row = await store.one<AccountRow>(selectAccount, id);
  return row === undefined ? undefined : toAccount(row);
}

/** How many orders an account has. Those that expired still count as what they were. */
export async function countOrdersOf(store: StateStore, accountId: string): Promise<OrderCounts> {
  const rows = await store.all(countOrders, accountId);
  return Object.fromEntries(rows.map(({ status, count }) => [status, Number(count)]));
}

/** Orders, the newest first. @param before position that the last page ended with */
export async function pageOrders(
  store: StateStore,
  accountId: string | undefined,
  before: number | undefined,
  limit: number,
): Promise<readonly Order[]> {
  const position = before ?? Number.MAX_SAFE_INTEGER;
  const rows =
    accountId === undefined
      ? await store.all<OrderRow>(selectOrders, position, limit)
      : await store.all<OrderRow>(selectOrdersOf, accountId, position, limit);
  return rows.map(toOrder);
}

function toAccount(row: AccountRow): ListedAccount {
  return {
    id: row.id,
    url: row.url,
    status: row.status,
    contact: JSON.parse(row.contact),
    externalAccount: row.external_account ?? undefined,
    thumbprint: row.thumbprint,
    createdAt: new Date(row.created_at),
    createdFrom: row.created_from,
    deactivatedAt: row.deactivated_at === null ? undefined : new Date(row.deactivated_at),
  };
}
