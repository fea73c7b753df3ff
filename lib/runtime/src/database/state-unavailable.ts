// The one answer of a gate's state that is nobody's fault who asks: the database cannot be reached, read or written now.

import type { DatabaseError } from './error.ts';
import type { Outages } from './outage.ts';

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

/** The outage that a failure stands for; nothing when it is about one statement. */
export function asOutage(error: DatabaseError, outages: Outages): StateUnavailableError | undefined {
  const detail = outages[error.code];
  return detail === undefined ? undefined : new StateUnavailableError(`${detail} (${error.message})`, error);
}
