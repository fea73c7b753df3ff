// A gate's state in PostgreSQL, shared by several copies of the gate. Statements are prepared by name on each
// connection; a set goes out in one write and its COMMIT in another.
// What may have been committed is never tried again here: who asked is told that it is undecided.

import { setTimeout as wait } from 'node:timers/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import type pg from 'pg';
import type { Clock } from '../clock.ts';
import { FatalError } from '../fatal.ts';
import { migrate } from './migrate.ts';
import { serverOutages } from './outage.ts';
import {
  type ConnectionOptions,
  type Connections,
  checkAddress,
  openConnections,
  openMigrationPool,
} from './postgres-connections.ts';
import {
  isConflictOfTransactions,
  isConnectionLost,
  isConnectionUseless,
  toPostgresDatabaseError,
} from './postgres-error.ts';
import { toPostgresText } from './postgres-text.ts';
import type { Query, SqlValue } from './queries.ts';
import { watchStateHealth } from './state-health.ts';
import type { CommitDurability, StateColumnTypes, StateMigration, StateOperation, StateStore } from './state-store.ts';
import { asOutage, StateUnavailableError } from './state-unavailable.ts';
import { Unexpected } from './state-unexpected.ts';

/** What {@link openPostgresStateStore} takes. */
export type PostgresStateOptions = ConnectionOptions & {
  readonly migrations: Readonly<Record<string, StateMigration>>;
  readonly clock: Clock;
};

const columnTypes: StateColumnTypes = {
  integer: 'bigint',
  binary: 'bytea',
  counter: { type: 'bigint', build: (column) => column.generatedByDefaultAsIdentity().primaryKey() },
};

/** One lock for all that migrate in this database: the first eight letters of 'gatehouse' as two numbers. */
const migrationLock = sql`select pg_advisory_xact_lock(${sql.lit(0x67617465)}, ${sql.lit(0x686f7573)})`;

const maximumAttempts = 6;
/** A server that cannot be reached at all is not asked again for each request. */
const maximumConnectionsTried = 3;

/** Connects and migrates. Throws FatalError when the server cannot be reached or the database is newer than this code. */
export async function openPostgresStateStore(options: PostgresStateOptions): Promise<StateStore> {
  checkAddress(options.address);
  await migrateOnce(options);
  const connections = openConnections(options);
  const health = watchStateHealth({
    log: options.log,
    probe: () => run(connections, statementOnce('select 1', [], false)),
  });

  const read = <Row>({ sql: text }: Query<Row>, parameters: readonly SqlValue[]): Promise<Row[]> =>
    health.observe(run(connections, statementOnce<Row>(text, parameters, false)));

  return {
    dialect: 'postgres',
    one: async (query, ...parameters) => (await read(query, parameters))[0],
    all: (query, ...parameters) => read(query, parameters),
    commit: (operations, survives = 'power-cut') =>
      health.observe(run(connections, transactionOnce(operations, begins[survives]))),
    write: <Row>({ sql: text }: Query<Row>, ...parameters: readonly SqlValue[]) =>
      health.observe(run(connections, statementOnce<Row>(text, parameters, true))),
    isHealthy: health.isHealthy,
    close: async () => {
      health.stop();
      await connections.close();
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

/** https://www.postgresql.org/docs/current/wal-async-commit.html: the server answers before its log is on the disk. */
const begins: Readonly<Record<CommitDurability, string>> = {
  'power-cut': 'BEGIN',
  crash: 'BEGIN; SET LOCAL synchronous_commit TO off',
};

function transactionOnce(operations: readonly StateOperation[], begin: string): Attempt<void> {
  // Where nothing is expected there is nothing to decide here: after a failure the server turns COMMIT into ROLLBACK.
  const isPlain = operations.every(({ expects }) => expects === undefined);
  return {
    isWriting: true,
    run: async (client, progress) => {
      progress.isDecisive = isPlain;
      const answers = [client.query(begin)];
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
async function run<T>(connections: Connections, attempt: Attempt<T>): Promise<T> {
  for (let count = 1; ; count++) {
    const progress: Progress = { isDecisive: false };
    try {
      return await connections.use((client) => attempt.run(client, progress));
    } catch (error) {
      if (error instanceof Unexpected) throw error.error;
      const isLost = isConnectionLost(error);
      const isUndecided = isLost && attempt.isWriting && progress.isDecisive;
      const mayRetry = !isUndecided && (isConflictOfTransactions(error) || isConnectionUseless(error));
      if (!mayRetry || count >= (isLost ? maximumConnectionsTried : maximumAttempts)) {
        throw describeFailure(error, isUndecided);
      }
      await wait(Math.random() * 5 * 2 ** count);
    }
  }
}

function describeFailure(error: unknown, isUndecided: boolean): Error {
  const cause = toPostgresDatabaseError(error);
  if (!isUndecided) return asOutage(cause, serverOutages) ?? cause;
  const message = `the connection to the database broke before it said whether it had committed (${cause.message})`;
  return new StateUnavailableError(message, cause, true);
}

async function migrateOnce(options: PostgresStateOptions): Promise<void> {
  const { migrations, clock } = options;
  const pool = openMigrationPool(options);
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
