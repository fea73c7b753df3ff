// A gate's state in SQLite: one connection, statements prepared once, every commit on the disk before it is answered.
// What is asked for in one turn of the event loop shares one transaction and so one wait for the disk, if anything in it has
// to wait; a set that fails takes nobody along.

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import type { Clock } from '../clock.ts';
import { FatalError } from '../fatal.ts';
import type { Logger } from '../log.ts';
import { DatabaseError, toDatabaseError } from './error.ts';
import { migrate } from './migrate.ts';
import { fileOutages } from './outage.ts';
import { createPreparer, type Preparer } from './prepared.ts';
import type { Query, SqlValue } from './queries.ts';
import { openSqlite } from './sqlite.ts';
import { watchStateHealth } from './state-health.ts';
import type { CommitDurability, StateColumnTypes, StateMigration, StateOperation, StateStore } from './state-store.ts';
import { asOutage, StateUnavailableError } from './state-unavailable.ts';
import { Unexpected } from './state-unexpected.ts';

/** What {@link openSqliteStateStore} takes. */
export type SqliteStateOptions = {
  readonly file: string;
  readonly migrations: Readonly<Record<string, StateMigration>>;
  readonly log: Logger;
  readonly clock: Clock;
};

const columnTypes: StateColumnTypes = {
  integer: 'integer',
  binary: 'blob',
  counter: { type: 'integer', build: (column) => column.primaryKey().autoIncrement() },
};

/** More than this would make the first of a group wait too long for the last. */
const maximumGroup = 256;

// As in the keep: a page of an index on random values is written back once for many requests, and is not read again for each.
const checkpointPages = 8_000;
const cacheKibibytes = 16_000;

/** Work of one caller inside a transaction, and whom to tell. */
type Member = {
  readonly survives: CommitDurability;
  run(): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
};

/** Opens the file, creating it and its directory. Throws FatalError when it cannot be used. */
export async function openSqliteStateStore(options: SqliteStateOptions): Promise<StateStore> {
  const { file, log } = options;
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const database = openSqlite<unknown>({ file });
  try {
    await migrate(
      database.kysely,
      Object.fromEntries(
        Object.entries(options.migrations).map(([name, { up }]) => [name, { up: (kysely) => up(kysely, columnTypes) }]),
      ),
      { integer: columnTypes.integer, now: sql<number>`${options.clock.now().getTime()}` },
    );
  } catch (error) {
    await database.close();
    if (!(error instanceof DatabaseError)) throw error;
    throw new FatalError(`cannot use the database ${file}: ${error.message}`, { cause: error });
  }
  // From here on nothing goes through Kysely, so the raw connection is never inside a transaction of somebody else's.
  const { raw } = database;
  raw.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}; PRAGMA cache_size = -${cacheKibibytes}`);
  const prepare = createPreparer(raw);
  let waiting: Member[] = [];
  let isScheduled = false;
  const idle: (() => void)[] = [];
  const health = watchStateHealth({ log, probe: () => add('power-cut', () => touch(raw)) });
  let isSynced = true;

  function writeNext(): void {
    isScheduled = false;
    const members = waiting.slice(0, maximumGroup);
    waiting = waiting.slice(maximumGroup);
    sync(members.some(({ survives }) => survives === 'power-cut'));
    writeGroup(raw, members);
    if (waiting.length > 0) schedule();
    else for (const resolve of idle.splice(0)) resolve();
  }

  /** https://www.sqlite.org/pragma.html#pragma_synchronous: NORMAL writes the log without waiting for the disk. */
  function sync(isNeeded: boolean): void {
    if (isSynced === isNeeded) return;
    raw.exec(`PRAGMA synchronous = ${isNeeded ? 'FULL' : 'NORMAL'}`);
    isSynced = isNeeded;
  }

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(writeNext);
  }

  function add<T>(survives: CommitDurability, run: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      waiting.push({ survives, run, resolve: (value) => resolve(value as T), reject });
      schedule();
    });
  }

  return {
    dialect: 'sqlite',
    // The rows have the columns that Kysely typed when it compiled the query.
    one: async <Row>({ sql }: Query<Row>, ...parameters: readonly SqlValue[]) =>
      guarded(() => prepare(sql).get(...parameters) as Row | undefined),
    all: async <Row>({ sql }: Query<Row>, ...parameters: readonly SqlValue[]) =>
      guarded(() => prepare(sql).all(...parameters) as Row[]),
    commit: (operations, survives = 'power-cut') => health.observe(add(survives, () => runAll(prepare, operations))),
    write: <Row>({ sql }: Query<Row>, ...parameters: readonly SqlValue[]) =>
      health.observe(add('power-cut', () => prepare(sql).all(...parameters) as Row[])),
    isHealthy: health.isHealthy,
    close: async () => {
      health.stop();
      if (isScheduled) await new Promise<void>((resolve) => idle.push(resolve));
      await database.close();
    },
  };
}

function runAll(prepare: Preparer, operations: readonly StateOperation[]): void {
  for (const { sql, parameters, expects } of operations) {
    const { changes } = prepare(sql).run(...parameters);
    if (expects !== undefined && Number(changes) !== expects.rows) throw new Unexpected(expects.otherwise());
  }
}

/** Writes all members in one transaction and answers them; after an outage nothing of it is stored. */
function writeGroup(raw: DatabaseSync, members: readonly Member[]): void {
  const answers: (() => void)[] = [];
  try {
    raw.exec('BEGIN IMMEDIATE');
    for (const member of members) answers.push(runMember(raw, member, members.length > 1));
    raw.exec('COMMIT');
  } catch (error) {
    if (raw.isTransaction) raw.exec('ROLLBACK');
    const outage = asUnavailable(error);
    for (const member of members) member.reject(outage);
    return;
  }
  for (const answer of answers) answer();
}

/** Runs one member; its own failure undoes it alone. Throws only when the whole transaction is lost. */
function runMember(raw: DatabaseSync, member: Member, isShared: boolean): () => void {
  if (isShared) raw.exec('SAVEPOINT one');
  try {
    const value = member.run();
    if (isShared) raw.exec('RELEASE one');
    return () => member.resolve(value);
  } catch (error) {
    const own = error instanceof Unexpected ? error.error : toDatabaseError(error);
    // When SQLite has given up the whole transaction there is no savepoint to go back to.
    if ((own instanceof DatabaseError && asOutage(own, fileOutages) !== undefined) || !raw.isTransaction) throw error;
    if (isShared) raw.exec('ROLLBACK TO one; RELEASE one');
    else raw.exec('ROLLBACK; BEGIN');
    return () => member.reject(own);
  }
}

function asUnavailable(error: unknown): StateUnavailableError {
  const cause = toDatabaseError(error);
  return asOutage(cause, fileOutages) ?? new StateUnavailableError(`the database failed (${cause.message})`, cause);
}

function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const cause = toDatabaseError(error);
    throw asOutage(cause, fileOutages) ?? cause;
  }
}

// A transaction that changes nothing writes nothing, so the attempt has to change something.
function touch(raw: DatabaseSync): void {
  raw.exec('UPDATE "gatehouseMigration" SET "appliedAt" = "appliedAt"');
}
