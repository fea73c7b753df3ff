// Connections to PostgreSQL: how they are made, what they are checked for, and when one is thrown away. Nothing here knows
// what they are used for, and no message repeats the address: it holds a password.

import pg from 'pg';
import { FatalError } from '../fatal.ts';
import type { Logger } from '../log.ts';
import { DatabaseError } from './error.ts';
import { isConnectionUseless } from './postgres-error.ts';
import { postgresTypes } from './postgres-types.ts';

const connectTimeoutMs = 5_000;
const statementTimeoutMs = 10_000;
/** Longer than a transaction of ours ever waits between two statements: locks of a copy that hangs are let go. */
const idleTransactionTimeoutMs = 10_000;
/** Longer than the server's own limit: only for a server that does not answer at all. */
const answerTimeoutMs = 15_000;
/** For another copy that migrates. */
const migrationLockTimeoutMs = 60_000;

/** What connections are made with. */
export type ConnectionOptions = {
  /** `postgres://user:password@host:port/database`. */
  readonly address: string;
  readonly log: Logger;
  /** 10 unless told. */
  readonly maximumConnections?: number | undefined;
};

/** Connections that are kept. */
export type Connections = {
  /** Uses one alone. What it throws says whether the connection is thrown away. */
  use<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  /** Waits for those in use, and closes all. */
  close(): Promise<void>;
};

/** Connections for statements, several of them on their way at a time. Nothing is connected before it is used. */
export function openConnections({ address, log, maximumConnections = 10 }: ConnectionOptions): Connections {
  const pool = new pg.Pool({
    ...settingsOf(address),
    max: maximumConnections,
    idleTimeoutMillis: 60_000,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: idleTransactionTimeoutMs,
    query_timeout: answerTimeoutMs,
    pipeline: true,
    verify: refuseStandby,
  });
  outliveBrokenOnes(pool, log);
  let inUse = 0;

  async function connect(): Promise<pg.PoolClient> {
    try {
      return await pool.connect();
    } catch (error) {
      // The pool says the same whether the server does not answer or all connections are at work.
      throw inUse < maximumConnections
        ? error
        : new DatabaseError('busy', `all ${inUse} connections are in use`, error);
    }
  }

  return {
    use: async (work) => {
      const client = await connect();
      inUse += 1;
      let isUseless = false;
      try {
        return await work(client);
      } catch (error) {
        isUseless = isConnectionUseless(error);
        throw error;
      } finally {
        inUse -= 1;
        client.release(isUseless);
      }
    },
    close: () => pool.end(),
  };
}

/** One connection without limits of time, for migrations; whoever takes it ends it. */
export function openMigrationPool({ address, log }: ConnectionOptions): pg.Pool {
  const pool = new pg.Pool({ ...settingsOf(address), max: 1, lock_timeout: migrationLockTimeoutMs });
  outliveBrokenOnes(pool, log);
  return pool;
}

/**
 * Refuses an address that cannot be read. It is not repeated, and the error not given as a cause either.
 *
 * @throws {FatalError}
 */
export function checkAddress(connectionString: string): void {
  try {
    new pg.Client({ connectionString });
  } catch {
    throw new FatalError('the address of the PostgreSQL database cannot be read', {
      hint: "write it like 'postgres://user:password@host:5432/database'",
    });
  }
}

function settingsOf(connectionString: string): pg.PoolConfig {
  return {
    connectionString,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: 'gatehouse',
    keepAlive: true,
    types: postgresTypes,
  };
}

// What breaks under a statement is that statement's failure, and what breaks in the pool is replaced when it is needed;
// neither may end the process.
function outliveBrokenOnes(pool: pg.Pool, log: Logger): void {
  pool.on('connect', (client) => client.on('error', () => undefined));
  pool.on('error', (error) => log.info({ reason: error.message }, 'an idle connection to the database broke'));
}

// A standby answers reads with what was true some time ago. It becomes the primary, or the other way round, only in a
// restart that ends its connections or in a promotion after which it may be used: once for each connection is enough.
function refuseStandby(client: pg.PoolClient, done: (error?: Error) => void): void {
  client
    .query('select pg_is_in_recovery() as "isStandby"')
    .then(
      ({ rows: [row] }) =>
        done(row?.isStandby === true ? new DatabaseError('read-only', 'it is a standby') : undefined),
      done,
    );
}
