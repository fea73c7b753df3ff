/**
 * What an operator reads when the core cannot read or write at its start: one sentence and what to do, like for every other
 * fault of a data directory. A running core refuses calls and waits for better times; one that starts has nothing to
 * wait with.
 */
import { CoreError } from '@gatehouse/proto/core-error';
import { DatabaseError, type DatabaseErrorCode } from '@gatehouse/runtime/database/sqlite';
import { FatalError } from '@gatehouse/runtime/fatal';
import { outageOf } from './store/failure.ts';

/** The error to end with: a FatalError where the store or a file cannot be used, else `error` itself. */
export function explainStartFailure(error: unknown, directory: string): unknown {
  const cause = error instanceof CoreError && error.code === 'unavailable' ? error.cause : error;
  // What the store says of a group that it could not write is readable already.
  if (error instanceof CoreError && cause instanceof DatabaseError) {
    return cannotStart(directory, cause.message, cause.code, error);
  }
  const outage = outageOf(cause);
  if (outage !== undefined) return cannotStart(directory, outage.detail, outage.code, error);
  if (!(error instanceof Error && 'code' in error && 'syscall' in error)) return error;
  const isFull = error.code === 'ENOSPC' || error.code === 'EDQUOT';
  return cannotStart(directory, error.message, isFull ? 'disk-full' : 'other', error);
}

function cannotStart(directory: string, detail: string, code: DatabaseErrorCode, cause: unknown): FatalError {
  return new FatalError(`cannot use ${directory}: ${detail}`, { hint: hints[code] ?? otherHint, cause });
}

const hints: { readonly [code in DatabaseErrorCode]?: string } = {
  'disk-full': 'free some space and start again; nothing is lost',
  corrupt: 'restore the database from a backup',
};

const otherHint = 'the disk must work, and the directory must be writable for the user that runs the core';
