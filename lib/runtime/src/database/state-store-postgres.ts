// A gate's state in PostgreSQL, shared by several copies of the gate. Statements are prepared by name on each
// connection; a set goes out in one write and its COMMIT in another.
// What may have been committed is never tried again here: who asked is told that it is undecided.

import { setTimeout as wait } from 'node:timers/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { Clock } from '../clock.ts';
import { FatalError } from '../fatal.ts';
import type { Logger } from '../log.ts';
import { DatabaseError } from './error.ts';
import { migrate } from './migrate.ts';
import { serverOutages } from './outage.ts';
import {
  isConflictOfTransactions,
  isConnectionLost,
  isStatementStale,
  toPostgresDatabaseError,
} from './postgres-error.ts';
import { toPostgresText } from './postgres-text.ts';
import { postgresTypes } from './postgres-types.ts';
import type { Query, SqlValue } from './queries.ts';
import { watchStateHealth } from './state-health.ts';
import type { StateColumnTypes, StateMigration, StateOperation, StateStore } from './state-store.ts';
import { asOutage, StateUnavailableError } from './state-unavailable.ts';
import { Unexpected } from './state-unexpected.ts';

/** What {@link openPostgresStateStore} takes. */
export type PostgresStateOptions = {
  /** `postgres://user:password@host:port/database`. */
  readonly address: string;
  readonly migrations: Readonly<Record<string, StateMigration>>;
  readonly log: Logger;
  readonly clock: Clock;
  readonly maximumConnections?: number | undefined;
};

const columnTypes: StateColumnTypes = {
  integer: 'bigint',
  binary: 'bytea',
  counter: { type: 'bigint', build: (column) => column.generatedByDefaultAsIdentity().primaryKey() },
};

/** One lock for all that migrate in this database: the first eight letters of 'gatehouse' as two numbers. */
const migrationLock = sql`select pg_advisory_xact_lock(${sql.lit(0x67617465)}, ${sql.lit(0x686f7573)})`;

const connectTimeoutMs = 5_000;
const statementTimeoutMs = 10_000;
/** Longer than a transaction of ours ever waits between two statements: locks of a copy that hangs are let go. */
const idleTransactionTimeoutMs = 10_000;
/** Longer than the server's own limit: only for a server that does not answer at all. */
const answerTimeoutMs = 15_000;
/** For another copy that migrates. */
const migrationLockTimeoutMs = 60_000;
const maximumAttempts = 6;

/** Connects and migrates. Throws FatalError when the server cannot be reached or the database is newer than this code. */
export async function openPostgresStateStore(options: PostgresStateOptions): Promise<StateStore> {
  const { log } = options;
  checkAddress(options.address);
  await migrateOnce(options);
  const pool = new pg.Pool({
    ...connectionSettings(options.address),
    max: options.maximumConnections ?? 10,
    idleTimeoutMillis: 60_000,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: idleTransactionTimeoutMs,
    query_timeout: answerTimeoutMs,
    pipeline: true,
    types: postgresTypes,
  });
  // What breaks under a statement is that statement's failure, and what breaks in the pool is replaced when it is needed;
  // neither may end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  pool.on('error', (error) => log.info({ reason: error.message }, 'an idle connection to the database broke'));
  const health = watchStateHealth({ log, probe: () => run(pool, statementOnce('select 1', [], false)) });

  const read = <Row>({ sql: text }: Query<Row>, parameters: readonly SqlValue[]): Promise<Row[]> =>
    health.observe(run(pool, statementOnce<Row>(text, parameters, false)));

  return {
    dialect: 'postgres',
    one: async (query, ...parameters) => (await read(query, parameters))[0],
    all: (query, ...parameters) => read(query, parameters),
    commit: (operations) => health.observe(run(pool, transactionOnce(operations))),
    write: <Row>({ sql: text }: Query<Row>, ...parameters: readonly SqlValue[]) =>
      health.observe(run(pool, statementOnce<Row>(text, parameters, true))),
    isHealthy: health.isHealthy,
    close: async () => {
      health.stop();
      await pool.end();
    },
  };
}

/** What is done on one connection; `isWriting`: it may have happened although the answer was lost. */
type Attempt<T> = { readonly isWriting: boolean; run(client: pg.PoolClient, progress: Progress): Promise<T> };

/** How far an attempt has come: until the commit is asked for, a lost connection means that nothing is stored. */
type Progress = { isDecisive: boolean };

/** One statement, a transaction of its own. */
function statementOnce<Row>(text: string, parameters: readonly SqlValue[], isWriting: boolean): Attempt<Row[]> {
  return {
    isWriting,
    run: async (client, progress) => {
      progress.isDecisive = true;
      return (await client.query({ ...toPostgresText(text), values: [...parameters] })).rows;
    },
  };
}

function transactionOnce(operations: readonly StateOperation[]): Attempt<void> {
  // Where nothing is expected there is nothing to decide here: after a failure the server turns COMMIT into ROLLBACK.
  const isPlain = operations.every(({ expects }) => expects === undefined);
  return {
    isWriting: true,
    run: async (client, progress) => {
      progress.isDecisive = isPlain;
      const answers = [client.query('BEGIN')];
      for (const { sql: text, parameters } of operations) {
        answers.push(client.query({ ...toPostgresText(text), values: [...parameters] }));
      }
      if (isPlain) answers.push(client.query('COMMIT'));
      const error = firstFailure(operations, await Promise.allSettled(answers));
      if (isPlain) {
        if (error !== undefined) throw error;
        return;
      }
      if (error !== undefined) {
        if (!isConnectionLost(error)) await client.query('ROLLBACK');
        throw error;
      }
      progress.isDecisive = true;
      await client.query('COMMIT');
    },
  };
}

/** What went wrong first is the cause: behind it the transaction is aborted, or stands on what was not as expected. */
function firstFailure(
  operations: readonly StateOperation[],
  outcomes: readonly PromiseSettledResult<pg.QueryResult>[],
): Error | undefined {
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === 'rejected') return outcome.reason;
    // The first answer is that of BEGIN.
    const expects = operations[index - 1]?.expects;
    if (expects !== undefined && outcome.value.rowCount !== expects.rows) return new Unexpected(expects.otherwise());
  }
  return undefined;
}

/** Runs an attempt, and again while it is known that nothing came of it and another may fare better. */
async function run<T>(pool: pg.Pool, attempt: Attempt<T>): Promise<T> {
  for (let count = 1; ; count++) {
    const progress: Progress = { isDecisive: false };
    try {
      return await runOnce(pool, attempt, progress);
    } catch (error) {
      if (error instanceof Unexpected) throw error.error;
      const isLost = isConnectionLost(error);
      const isUndecided = isLost && attempt.isWriting && progress.isDecisive;
      const mayRetry = (isLost && !isUndecided) || isConflictOfTransactions(error) || isStatementStale(error);
      // A server that cannot be reached at all is not asked again for each request.
      const limit = isLost ? 2 : maximumAttempts;
      if (mayRetry && count < limit) {
        await wait(Math.random() * 5 * 2 ** count);
        continue;
      }
      throw describeFailure(error, isUndecided);
    }
  }
}

async function runOnce<T>(pool: pg.Pool, attempt: Attempt<T>, progress: Progress): Promise<T> {
  const client = await connect(pool);
  let broken: Error | undefined;
  try {
    return await attempt.run(client, progress);
  } catch (error) {
    if (isConnectionLost(error) || isStatementStale(error)) broken = new Error('the connection is of no use');
    throw error;
  } finally {
    client.release(broken);
  }
}

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    // The pool says the same whether the server does not answer or all of its connections are at work.
    const isBusy = pool.totalCount >= pool.options.max && pool.idleCount === 0;
    throw isBusy ? new DatabaseError('busy', `all ${pool.totalCount} connections are in use`, error) : error;
  }
}

function describeFailure(error: unknown, isUndecided: boolean): Error {
  const cause = toPostgresDatabaseError(error);
  if (!isUndecided) return asOutage(cause, serverOutages) ?? cause;
  const message = `the connection to the database broke before it said whether it had committed (${cause.message})`;
  return new StateUnavailableError(message, cause, true);
}

// What cannot be read is not repeated, and not given as a cause either: it holds a password.
function checkAddress(connectionString: string): void {
  try {
    new pg.Client({ connectionString });
  } catch {
    throw new FatalError('the address of the PostgreSQL database cannot be read', {
      hint: "write it like 'postgres://user:password@host:5432/database'",
    });
  }
}

async function migrateOnce({ address, migrations, log, clock }: PostgresStateOptions): Promise<void> {
  const pool = new pg.Pool({
    ...connectionSettings(address),
    max: 1,
    lock_timeout: migrationLockTimeoutMs,
    types: postgresTypes,
  });
  pool.on('connect', (client) => client.on('error', () => undefined));
  pool.on('error', (error) => log.info({ reason: error.message }, 'the connection to the database broke'));
  const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    await migrate(
      kysely,
      Object.fromEntries(
        Object.entries(migrations).map(([name, { up }]) => [name, { up: (database) => up(database, columnTypes) }]),
      ),
      { integer: columnTypes.integer, now: sql<number>`${clock.now().getTime()}`, lock: migrationLock },
    );
  } catch (error) {
    if (error instanceof FatalError) throw error;
    const cause = toPostgresDatabaseError(error);
    const hint = 'check that PostgreSQL runs, and the address, user and password of the database';
    throw new FatalError(`cannot use the PostgreSQL database: ${cause.message}`, { hint, cause });
  } finally {
    await kysely.destroy();
  }
}

function connectionSettings(connectionString: string): pg.PoolConfig {
  return {
    connectionString,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: 'gatehouse',
    keepAlive: true,
  };
}
