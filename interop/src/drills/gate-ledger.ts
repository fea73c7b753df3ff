// What the database of the ACME gate holds, read beside the gate: for what no client can see, such as leases.

import { DatabaseSync } from 'node:sqlite';

/** What a drill asks of it. */
export type GateLedger = {
  /** Orders by their status. */
  readonly orders: Readonly<Record<string, number>>;
  readonly certificates: number;
  /** Orders with more than one certificate, or with one although they are not valid. */
  readonly doubtful: readonly string[];
  /** Orders and authorizations that somebody has leased. */
  readonly leased: readonly string[];
};

/** Reads the file of the database, which for `up` is DIR/acme/acme.db. */
export function readGateLedger(file: string): GateLedger {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const texts = (sql: string): readonly string[] =>
      database
        .prepare(sql)
        .all()
        .map(({ what }) => String(what));
    const counts = database.prepare('select status, count(*) as count from orders group by status').all();
    return {
      orders: Object.fromEntries(counts.map(({ status, count }) => [String(status), Number(count)])),
      certificates: Number(database.prepare('select count(*) as count from certificates').get()?.count),
      doubtful: texts(
        `select order_id as what from certificates group by order_id having count(*) > 1
         union select id from orders where (status = 'valid') <> exists (select 1 from certificates where order_id = orders.id)`,
      ),
      leased: texts(
        `select 'order ' || id as what from orders where lease_owner is not null
         union select 'authorization ' || id from authorizations where lease_owner is not null`,
      ),
    };
  } finally {
    database.close();
  }
}
