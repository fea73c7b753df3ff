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

/** Answers a statement, on whichever database. */
export type Ask = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

/** Reads it. */
export async function readGateLedger(ask: Ask): Promise<GateLedger> {
  const texts = async (sql: string): Promise<readonly string[]> => (await ask(sql)).map(({ what }) => String(what));
  const orders = await ask('select status, count(*) as number from orders group by status');
  const [certificates] = await ask('select count(*) as number from certificates');
  return {
    orders: Object.fromEntries(orders.map(({ status, number }) => [String(status), Number(number)])),
    certificates: Number(certificates?.number),
    doubtful: await texts(
      `select order_id as what from certificates group by order_id having count(*) > 1
       union select id from orders where (status = 'valid') <> exists (select 1 from certificates where order_id = orders.id)`,
    ),
    leased: await texts(
      `select 'order ' || id as what from orders where lease_owner is not null
       union select 'authorization ' || id from authorizations where lease_owner is not null`,
    ),
  };
}

/** Reads the file of the database, which for `up` is DIR/acme/acme.db. */
export async function readGateFile(file: string): Promise<GateLedger> {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return await readGateLedger(async (sql) => database.prepare(sql).all());
  } finally {
    database.close();
  }
}
