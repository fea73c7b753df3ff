// What PostgreSQL and the way to it say when something fails, as the kinds that callers treat differently.

import { DatabaseError as ServerError } from 'pg';
import { DatabaseError, type DatabaseErrorCode } from './error.ts';
import { Unexpected } from './state-unexpected.ts';

/** https://www.postgresql.org/docs/current/errcodes-appendix.html; where no code is named, its class decides. */
const codes: ReadonlyMap<string, DatabaseErrorCode> = new Map([
  ['23505', 'unique'],
  ['53100', 'disk-full'],
  ['25006', 'read-only'], // a standby, or default_transaction_read_only
  ['55P03', 'busy'], // lock_timeout
  ['57014', 'busy'], // statement_timeout
  ['40001', 'busy'], // serialization_failure, after all retries
  ['40P01', 'busy'], // deadlock_detected, after all retries
  ['3D000', 'cannot-open'], // no such database
]);

const classes: ReadonlyMap<string, DatabaseErrorCode> = new Map([
  ['08', 'cannot-open'], // connection exception
  ['23', 'constraint'],
  ['28', 'cannot-open'], // wrong user or password
  ['53', 'busy'], // insufficient resources
  ['57', 'cannot-open'], // the server stops or starts
  ['58', 'io'], // system error
  ['XX', 'corrupt'],
]);

/** Maps what `pg` throws. What the server did not say comes from the connection and is `cannot-open`. */
export function toPostgresDatabaseError(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const message = messageOf(error);
  // Values that cannot be sent or read: a mistake of ours, not of the way.
  if (error instanceof RangeError || error instanceof TypeError) return new DatabaseError('other', message, error);
  if (!(error instanceof ServerError)) return new DatabaseError('cannot-open', message, error);
  const sqlState = error.code ?? '';
  return new DatabaseError(codes.get(sqlState) ?? classes.get(sqlState.slice(0, 2)) ?? 'other', message, error);
}

/** Whether the server undid the transaction because of others: the same again may succeed. */
export function isConflictOfTransactions(error: unknown): boolean {
  return error instanceof ServerError && (error.code === '40001' || error.code === '40P01');
}

/**
 * Whether another connection may fare better, and this one should go: it is lost, or the server refused the statement
 * before it did anything. It does so when a table changed since the statement was prepared (another copy, newer than this
 * one, has migrated), when it does not know the statement (a pooler in between), and when it takes no writes.
 */
export function isConnectionUseless(error: unknown): boolean {
  if (isConnectionLost(error)) return true;
  if (error instanceof DatabaseError) return error.code === 'read-only';
  if (!(error instanceof ServerError)) return false;
  const { code } = error;
  return code === '26000' || code === '25006' || (code === '0A000' && error.routine === 'RevalidateCachedQuery');
}

/** Whether the connection broke, or the server ends it: what was asked for may have happened all the same. */
export function isConnectionLost(error: unknown): boolean {
  // Ours: nothing was wrong with the connection.
  if (error instanceof Unexpected || error instanceof DatabaseError) return false;
  if (error instanceof RangeError || error instanceof TypeError) return false;
  if (!(error instanceof ServerError)) return true;
  return error.severity === 'FATAL' || error.severity === 'PANIC' || (error.code ?? '').startsWith('08');
}

// A name with several addresses fails with all their errors and no message of its own.
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
