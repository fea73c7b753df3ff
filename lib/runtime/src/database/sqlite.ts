// The embedded database: Kysely over node:sqlite, one connection, write-ahead log, every commit on the disk before it
// returns. What is told to a client after a commit survives a power cut; nothing here may trade that away.

import { closeSync, openSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CompiledQuery, type DatabaseConnection, type Dialect, Kysely, SqliteDialect, SqliteDriver } from 'kysely';
import { FatalError } from '../fatal.ts';
import { type DatabaseError, toDatabaseError } from './error.ts';
import { StatementCache } from './sqlite-statements.ts';

export { DatabaseError, type DatabaseErrorCode, toDatabaseError } from './error.ts';

/** What {@link openSqlite} takes. */
export type SqliteOptions = {
  /** Path of the file, made with mode 0600 if it is missing; ':memory:' for tests. */
  readonly file: string;
  /** For inspection while another process writes; nothing is created. */
  readonly readOnly?: boolean | undefined;
};

/** An open database. */
export type SqliteDatabaseHandle<DB> = {
  readonly kysely: Kysely<DB>;
  /**
   * The connection underneath, for statements on the hot path. Kysely's transactions use it too: begin a transaction
   * only inside {@link transact}.
   */
  readonly raw: DatabaseSync;
  /**
   * Runs synchronous work on the raw connection in one transaction (BEGIN IMMEDIATE), when no transaction of Kysely's
   * is open: the way to commit a group. When it resolves, the work is on the disk.
   *
   * @throws {DatabaseError} and whatever `work` throws; then everything was rolled back
   */
  transact<T>(work: (raw: DatabaseSync) => T): Promise<T>;
  /** Closes the database after the query or transaction that runs. Calling it twice is harmless. */
  close(): Promise<void>;
};

const statementCacheSize = 256;

/**
 * Opens (or creates) a database.
 *
 * @throws {FatalError} when it cannot be opened: missing directory, no permission, not a database, damaged. The cause
 * is a {@link DatabaseError}.
 */
export function openSqlite<DB>(options: SqliteOptions): SqliteDatabaseHandle<DB> {
  const raw = open(options);
  const statements = new StatementCache(raw, statementCacheSize);
  const kysely = new Kysely<DB>({ dialect: createDialect(statements) });
  let isClosing = false;
  return {
    kysely,
    raw,
    transact: (work) => kysely.connection().execute(async () => transactSync(raw, work)),
    close: async () => {
      if (isClosing) return;
      isClosing = true;
      // Waits for the connection: a transaction that is under way ends first.
      await kysely.connection().execute(async () => {});
      await kysely.destroy();
      // Kysely closes only what it has used.
      statements.close();
    },
  };
}

function open(options: SqliteOptions): DatabaseSync {
  let raw: DatabaseSync | undefined;
  try {
    if (options.readOnly !== true && options.file !== ':memory:') createPrivately(options.file);
    raw = new DatabaseSync(options.file, {
      readOnly: options.readOnly ?? false,
      enableForeignKeyConstraints: true,
      timeout: 5_000,
    });
    configure(raw, options);
    return raw;
  } catch (error) {
    raw?.close();
    throw openFailure(options.file, error);
  }
}

// SQLite would create the file with the umask's mode; its -wal and -shm files take over the mode of the database.
function createPrivately(file: string): void {
  try {
    closeSync(openSync(file, 'ax', 0o600));
  } catch (error) {
    // An existing file is left alone: closing any descriptor of it would drop the locks that another connection of this
    // process holds (https://www.sqlite.org/howtocorrupt.html §2.2).
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

function configure(raw: DatabaseSync, options: SqliteOptions): void {
  raw.exec('PRAGMA trusted_schema = OFF; PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON');
  if (options.readOnly === true) {
    // Reads the first page, so that a file that is no database is found now.
    raw.prepare('PRAGMA schema_version').get();
    return;
  }
  const mode = raw.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode;
  if (options.file !== ':memory:' && mode !== 'wal')
    throw new Error('the file system does not support a write-ahead log');
  // FULL: the log is synced at each commit. NORMAL would lose the last commits when the power goes.
  raw.exec('PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864');
}

function openFailure(file: string, cause: unknown): FatalError {
  if (cause instanceof Error && 'code' in cause) {
    const hints: Record<string, readonly [string, string]> = {
      ENOENT: ['its directory does not exist', `create ${dirname(file)}`],
      EACCES: ['permission denied', 'check the owner and the mode of the file and its directory'],
      EPERM: ['permission denied', 'check the owner and the mode of the file and its directory'],
      EROFS: ['the file system is read-only', 'mount it writable'],
      ENOSPC: ['the disk is full', 'free some space and start again'],
      EISDIR: ['it is a directory', 'name a file'],
    };
    const known = hints[String(cause.code)];
    if (known !== undefined)
      return new FatalError(`cannot open the database ${file}: ${known[0]}`, { hint: known[1], cause });
  }
  const error = toDatabaseError(cause);
  if (error.code === 'disk-full' || (error.code === 'io' && isDiskFull(dirname(file)))) {
    const hint = 'free some space and start again';
    return new FatalError(`cannot open the database ${file}: the disk is full`, { hint, cause: error });
  }
  const hint = openHints[error.code];
  return new FatalError(`cannot open the database ${file}: ${error.message}`, { hint, cause: error });
}

const openHints: Partial<Record<DatabaseError['code'], string>> = {
  'read-only': 'the file and its directory must be writable for this process',
  'cannot-open': 'the file and its directory must exist and be writable for this process',
  corrupt: 'the file is not a database of ours or is damaged: restore it from a backup',
  busy: 'another process holds the database: is a second copy running on the same data directory?',
  io: "the disk fails: see the system's log (dmesg), then start again",
};

/** SQLite calls it an I/O error when there is no room for the index of the write-ahead log. */
function isDiskFull(folder: string): boolean {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize < 256 * 1024;
}

function createDialect(statements: StatementCache): Dialect {
  const dialect = new SqliteDialect({ database: statements });
  return {
    createAdapter: () => dialect.createAdapter(),
    createDriver: () => new ImmediateSqliteDriver({ database: statements }),
    createIntrospector: (database) => dialect.createIntrospector(database),
    createQueryCompiler: () => dialect.createQueryCompiler(),
  };
}

class ImmediateSqliteDriver extends SqliteDriver {
  // A deferred transaction that reads first and writes later fails at once, without waiting, when another process wrote
  // in between (SQLITE_BUSY_SNAPSHOT).
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}

function transactSync<T>(raw: DatabaseSync, work: (raw: DatabaseSync) => T): T {
  try {
    raw.exec('BEGIN IMMEDIATE');
  } catch (error) {
    throw toDatabaseError(error);
  }
  try {
    const result = work(raw);
    raw.exec('COMMIT');
    return result;
  } catch (error) {
    if (raw.isTransaction) raw.exec('ROLLBACK');
    throw error instanceof Error && 'errcode' in error ? toDatabaseError(error) : error;
  }
}
