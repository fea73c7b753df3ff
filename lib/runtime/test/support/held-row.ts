// A row that a transaction of somebody else's holds, so that a test can catch a statement while it waits.

import pg from 'pg';

/** Who waits for a lock in the database that is connected to. */
const waiting = `datname = current_database() and wait_event_type = 'Lock'`;

/** A row that is held until it is released. */
export type HeldRow = AsyncDisposable & {
  /** Resolves when another connection waits for it. */
  whenAwaited(): Promise<void>;
  /** Ends the connections that wait, as an administrator can. */
  endWaiting(): Promise<void>;
  release(): Promise<void>;
};

/** Locks the thing with this name. */
export async function holdRow(address: string, name: string): Promise<HeldRow> {
  const [holder, observer] = [await connect(address), await connect(address)];
  await holder.query('begin');
  await holder.query('select 1 from things where name = $1 for update', [name]);
  let isHeld = true;
  const release = async (): Promise<void> => {
    if (isHeld) await holder.query('commit');
    isHeld = false;
  };
  return {
    whenAwaited: async () => {
      for (const deadline = Date.now() + 10_000; ; ) {
        const { rowCount } = await observer.query(`select pid from pg_stat_activity where ${waiting}`);
        if ((rowCount ?? 0) > 0) return;
        if (Date.now() > deadline) throw new Error('nobody waits for the row');
      }
    },
    endWaiting: async () => {
      await observer.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${waiting}`);
    },
    release,
    [Symbol.asyncDispose]: async () => {
      await release();
      await Promise.all([holder.end(), observer.end()]);
    },
  };
}

async function connect(address: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: address });
  // A test may end connections; what it asks of them then fails by itself.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
