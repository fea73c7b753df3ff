// A gate's state in PostgreSQL, shared by several copies of the gate. Statements are prepared by name on each
// connection; a set goes out in one write and its COMMIT in another.
// What may have been committed is never tried again here: who asked is told that it is undecided.

import { setTimeout as wait } from 'node:timers/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { FatalError } from '../fatal.ts';
import type { Logger } from '../log.ts';
import { type MigrationDialect, migrate } from './migrate.ts';
import { isConflictOfTransactions, isConnectionLost, toPostgresDatabaseError } from './postgres-error.ts';
import { toPostgresText } from './postgres-text.ts';
import { postgresTypes } from './postgres-types.ts';
import type { Query, SqlValue } from './queries.ts';
import type { StateColumnTypes, StateMigration, StateOperation, StateStore } from './state-store.ts';
import { asOutage, StateUnavailableError } from './state-unavailable.ts';

/** What {@link openPostgresStateStore} takes. */
export type PostgresStateOptions = {
  /** `postgres://user:password@host:port/database`. */
  readonly address: string;
  readonly migrations: Readonly<Record<string, StateMigration>>;
  readonly log: Logger;
  readonly maximumConnections?: number | undefined;
};

const columnTypes: StateColumnTypes = {
  integer: 'bigint',
  binary: 'bytea',
  counter: { type: 'bigint', build: (column) => column.generatedByDefaultAsIdentity().primaryKey() },
};

const migrationDialect: MigrationDialect = {
  integer: 'bigint',
  now: sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`,
  // One number for all that migrate in this database: the first eight letters of 'gatehouse' as octets.
  lock: sql`select pg_advisory_xact_lock(${sql.lit(0x67617465)}, ${sql.lit(0x686f7573)})`,
};

const connectTimeoutMs = 5_000;
const statementTimeoutMs = 10_000;
/** Longer than the server's own limit: only for a server that does not answer at all. */
const answerTimeoutMs = 15_000;
const maximumAttempts = 6;
const probeIntervalMs = 1_000;

/** Connects and migrates. Throws FatalError when the server cannot be reached or the database is newer than this code. */
export async function openPostgresStateStore(options: PostgresStateOptions): Promise<StateStore> {
  const { log } = options;
  await migrateOnce(options);
  const pool = new pg.Pool({
    ...connectionSettings(options.address),
    max: options.maximumConnections ?? 10,
    idleTimeoutMillis: 60_000,
    statement_timeout: statementTimeoutMs,
    query_timeout: answerTimeoutMs,
    pipeline: true,
    types: postgresTypes,
  });
  // A connection that nobody uses broke; the pool makes another when one is needed.
  pool.on('error', (error) => log.info({ error }, 'an idle connection to the database broke'));
  let failure: StateUnavailableError | undefined;
  let probe: NodeJS.Timeout | undefined;

  function note(outage: StateUnavailableError | undefined): void {
    if (outage === undefined) {
      if (failure !== undefined) log.info('the state can be used again');
      clearTimeout(probe);
    } else {
      // One line for each outage, not one for each client that meets it.
      if (failure === undefined) log.error({ error: outage.cause }, outage.message);
      clearTimeout(probe);
      probe = setTimeout(() => void run(pool, readOnce('select 1', [])).then(note0, note1), probeIntervalMs).unref();
    }
    failure = outage;
  }
  const note0 = (): void => note(undefined);
  const note1 = (error: unknown): void => {
    if (error instanceof StateUnavailableError) note(error);
  };

  async function noted<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      if (failure !== undefined) note(undefined);
      return result;
    } catch (error) {
      note1(error);
      throw error;
    }
  }

  const read = <Row>({ sql: text }: Query<Row>, parameters: readonly SqlValue[]): Promise<Row[]> =>
    noted(run(pool, readOnce<Row>(text, parameters)));

  return {
    dialect: 'postgres',
    one: async (query, ...parameters) => (await read(query, parameters))[0],
    all: (query, ...parameters) => read(query, parameters),
    commit: (operations) => noted(run(pool, transactionOnce(operations))),
    write: <Row>({ sql: text }: Query<Row>, ...parameters: readonly SqlValue[]) =>
      noted(run(pool, { ...readOnce<Row>(text, parameters), isWriting: true })),
    isHealthy: () => failure === undefined,
    close: async () => {
      clearTimeout(probe);
      await pool.end();
    },
  };
}

/** What is done on one connection; `isWriting`: it may have happened although the answer was lost. */
type Attempt<T> = { readonly isWriting: boolean; run(client: pg.PoolClient, progress: Progress): Promise<T> };

/** How far an attempt has come: until the commit is asked for, a lost connection means that nothing is stored. */
type Progress = { isDecisive: boolean };

function readOnce<Row>(text: string, parameters: readonly SqlValue[]): Attempt<Row[]> {
  return {
    isWriting: false,
    run: async (client, progress) => {
      progress.isDecisive = true;
      const { rows } = await client.query({ ...toPostgresText(text), values: [...parameters] });
      return rows;
    },
  };
}

function transactionOnce(operations: readonly StateOperation[]): Attempt<void> {
  return {
    isWriting: true,
    run: async (client, progress) => {
      const answers = [client.query('BEGIN')];
      for (const { sql: text, parameters } of operations) {
        answers.push(client.query({ ...toPostgresText(text), values: [...parameters] }));
      }
      const outcomes = await Promise.allSettled(answers);
      // The first failure is the cause; those behind it only say that the transaction is aborted.
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      const error = failed?.reason ?? firstUnexpected(operations, outcomes);
      if (error !== undefined) {
        if (failed === undefined || !isConnectionLost(failed.reason)) await client.query('ROLLBACK');
        throw error;
      }
      progress.isDecisive = true;
      await client.query('COMMIT');
    },
  };
}

/** Carries what an operation's `otherwise` made, so that it is never taken for a failure of the database. */
class Unexpected extends Error {
  readonly error: Error;

  constructor(error: Error) {
    super('another number of rows changed than was expected');
    this.error = error;
  }
}

function firstUnexpected(
  operations: readonly StateOperation[],
  outcomes: readonly PromiseSettledResult<pg.QueryResult>[],
): Unexpected | undefined {
  for (const [index, { expects }] of operations.entries()) {
    // The first answer is that of BEGIN.
    const outcome = outcomes[index + 1];
    if (expects === undefined || outcome?.status !== 'fulfilled' || outcome.value.rowCount === expects.rows) continue;
    return new Unexpected(expects.otherwise());
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
      const mayRetry = (isLost && !isUndecided) || isConflictOfTransactions(error);
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
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    return await attempt.run(client, progress);
  } catch (error) {
    if (!(error instanceof Unexpected) && isConnectionLost(error)) broken = new Error('the connection broke');
    throw error;
  } finally {
    client.release(broken);
  }
}

function describeFailure(error: unknown, isUndecided: boolean): Error {
  const cause = toPostgresDatabaseError(error);
  if (!isUndecided) return asOutage(cause) ?? cause;
  const message = `the connection to the database broke before it said whether it had committed (${cause.message})`;
  return new StateUnavailableError(message, { cause, isUndecided });
}

async function migrateOnce({ address, migrations, log }: PostgresStateOptions): Promise<void> {
  const pool = new pg.Pool({ ...connectionSettings(address), max: 1, types: postgresTypes });
  pool.on('error', (error) => log.info({ error }, 'the connection to the database broke'));
  const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    await migrate(
      kysely,
      Object.fromEntries(
        Object.entries(migrations).map(([name, { up }]) => [name, { up: (database) => up(database, columnTypes) }]),
      ),
      migrationDialect,
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
