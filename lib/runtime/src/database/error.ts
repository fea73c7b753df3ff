// What can go wrong in a database, as the few kinds that callers treat differently. Both dialects map their errors to
// this one class. The message is for the log: it names tables and columns and must never be shown to a client.

/**
 * `disk-full`: nothing was written, free space and try again. `read-only`: the file, its directory or the file system
 * does not take writes. `cannot-open`: the file or its directory is missing or not accessible. `corrupt`: not a
 * database, or a damaged one; restore it. `busy`: another process held the lock for longer than five seconds. `unique`:
 * a row with this key exists. `constraint`: any other constraint (foreign key, check, not null). `io`: the disk failed.
 * `other`: a mistake in a statement or its values.
 */
export type DatabaseErrorCode =
  | 'disk-full'
  | 'read-only'
  | 'cannot-open'
  | 'corrupt'
  | 'busy'
  | 'unique'
  | 'constraint'
  | 'io'
  | 'other';

/** A failed database operation. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly code: DatabaseErrorCode;

  constructor(code: DatabaseErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

// https://www.sqlite.org/rescode.html: the primary result code is the low octet of the extended one.
const sqliteCodes: ReadonlyMap<number, DatabaseErrorCode> = new Map([
  [3, 'read-only'], // SQLITE_PERM
  [5, 'busy'], // SQLITE_BUSY
  [6, 'busy'], // SQLITE_LOCKED
  [8, 'read-only'], // SQLITE_READONLY
  [10, 'io'], // SQLITE_IOERR
  [11, 'corrupt'], // SQLITE_CORRUPT
  [13, 'disk-full'], // SQLITE_FULL
  [14, 'cannot-open'], // SQLITE_CANTOPEN
  [19, 'constraint'], // SQLITE_CONSTRAINT
  [26, 'corrupt'], // SQLITE_NOTADB
]);

/** Extended codes that say more than their primary one. */
const sqliteExtendedCodes: ReadonlyMap<number, DatabaseErrorCode> = new Map([
  [1555, 'unique'], // SQLITE_CONSTRAINT_PRIMARYKEY
  [2067, 'unique'], // SQLITE_CONSTRAINT_UNIQUE
  [2579, 'unique'], // SQLITE_CONSTRAINT_ROWID
]);

/**
 * Maps what `node:sqlite` throws; for code that uses the raw handle. A {@link DatabaseError} is returned as it is.
 *
 * @example try { statement.run(serial) } catch (error) { throw toDatabaseError(error) }
 */
export function toDatabaseError(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && 'errcode' in error && typeof error.errcode === 'number') {
    const code = sqliteExtendedCodes.get(error.errcode) ?? sqliteCodes.get(error.errcode & 0xff) ?? 'other';
    return new DatabaseError(code, message, error);
  }
  return new DatabaseError('other', message, error);
}
