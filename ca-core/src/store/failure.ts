// Tells a store that cannot write now (full, read-only, broken, locked) from a statement that was refused.
// The first is nobody's fault that calls and becomes `unavailable`; the second belongs to the one set that held the
// statement.

import { CoreError } from '@gatehouse/proto/core-error';
import { fileOutages } from '@gatehouse/runtime/database/outage';
import { type DatabaseError, type DatabaseErrorCode, toDatabaseError } from '@gatehouse/runtime/database/sqlite';

/** Why the store could not write when it last tried. */
export type StoreFailure = {
  readonly code: DatabaseErrorCode;
  /** For the log and for readiness; holds no client's data. */
  readonly detail: string;
  readonly at: Date;
};

/** The outage that the error stands for, or nothing when it is about one statement. */
export function outageOf(error: unknown): { readonly code: DatabaseErrorCode; readonly detail: string } | undefined {
  const failure = asDatabaseError(error);
  if (failure === undefined) return undefined;
  const detail = fileOutages[failure.code];
  return detail === undefined ? undefined : { code: failure.code, detail: `${detail} (${failure.message})` };
}

/** What the callers of a store that cannot be used are told; the cause is for the log. */
export function unavailable(cause: unknown): CoreError {
  return new CoreError('unavailable', 'the CA cannot use its store at the moment', { retryAfterSeconds: 5, cause });
}

/** Runs a read; an outage becomes CoreError `unavailable`, anything else a DatabaseError. `onFailure` is told before. */
export function guardRead<T>(read: () => T, onFailure?: (error: unknown) => void): T {
  try {
    return read();
  } catch (error) {
    onFailure?.(error);
    throw readFailure(error);
  }
}

/** {@link guardRead} for a read through Kysely. */
export async function guardReads<T>(read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    throw readFailure(error);
  }
}

function readFailure(error: unknown): unknown {
  if (outageOf(error) !== undefined) return unavailable(error);
  return asDatabaseError(error) ?? error;
}

// Only what SQLite says is a failure of the database; our own errors pass through.
function asDatabaseError(error: unknown): DatabaseError | undefined {
  if (!(error instanceof Error)) return undefined;
  return error.name === 'DatabaseError' || 'errcode' in error ? toDatabaseError(error) : undefined;
}
