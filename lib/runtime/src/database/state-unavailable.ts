// The one answer of a gate's state that is nobody's fault who asks: the database cannot be reached, read or written now.

import type { DatabaseError, DatabaseErrorCode } from './error.ts';

/** The state cannot be used now. The message is for the log; the cause is what the database or the network said. */
export class StateUnavailableError extends Error {
  override readonly name = 'StateUnavailableError';
  readonly code = 'state-unavailable';
  override readonly cause: DatabaseError;
  /** Whether what was asked for may have happened all the same: the connection broke before the answer came. */
  readonly isUndecided: boolean;

  constructor(message: string, cause: DatabaseError, isUndecided = false) {
    super(message);
    this.cause = cause;
    this.isUndecided = isUndecided;
  }
}

/** Kinds of failure that the next attempt may not meet again, and what an operator should read. */
const outages: { readonly [code in DatabaseErrorCode]?: string } = {
  'disk-full': 'the disk that holds the database is full',
  'read-only': 'the database takes no writes',
  'cannot-open': 'the database cannot be opened',
  corrupt: 'the database is damaged',
  busy: 'the database is locked or answers too slowly',
  io: 'the disk failed under the database',
};

/** The outage that a failure stands for; nothing when it is about one statement. */
export function asOutage(error: DatabaseError): StateUnavailableError | undefined {
  const detail = outages[error.code];
  return detail === undefined ? undefined : new StateUnavailableError(`${detail} (${error.message})`, error);
}
