// Reads records of a chain for verification, from a database that somebody may have tampered with.
// A row that cannot be a record of ours is shown as one that cannot be read; it must never stop the walk with an error.

import { CoreError } from '@gatehouse/proto/core-error';
import { readAuditRecords } from '../store/audit-events.ts';
import type { StoreReader } from '../store/statements.ts';
import type { AuditRecord } from './event.ts';

/** Some milliseconds of work. */
const pageSize = 256;

/**
 * The records after a place in a chain, up to sequence number `last`; nothing in the place of one that cannot be read.
 * At least one entry when there is a row.
 *
 * @throws {CoreError} `unavailable` when the store cannot be read
 */
export function readRecordPage(
  store: StoreReader,
  after: { readonly instance: string; readonly sequence: number },
  last: number,
): readonly (AuditRecord | undefined)[] {
  try {
    return read(store, after, last, pageSize);
  } catch (error) {
    if (error instanceof CoreError) throw error;
  }
  // A value in the page cannot be represented (an integer beyond 2^53): find out whether it is in the next row.
  try {
    return read(store, after, last, 1);
  } catch (error) {
    if (error instanceof CoreError) throw error;
    return [undefined];
  }
}

function read(
  store: StoreReader,
  after: { readonly instance: string; readonly sequence: number },
  last: number,
  limit: number,
): readonly (AuditRecord | undefined)[] {
  const records = readAuditRecords(store, after.instance, after.sequence, limit);
  if (records.length === 0) return [undefined];
  return records
    .filter(({ sequence }) => !(sequence > last))
    .map((record) => (isWellTyped(record) ? record : undefined));
}

// SQLite holds any value in any column if the schema is edited.
function isWellTyped(record: AuditRecord): boolean {
  const { mac, sequence, at, instance, actor, action, outcome } = record;
  const { registrationAuthority, requester, profile, serialNumber, body } = record;
  return (
    mac instanceof Uint8Array &&
    [sequence, at].every(Number.isSafeInteger) &&
    [instance, actor, action, outcome].every((value) => typeof value === 'string') &&
    [registrationAuthority, requester, profile, serialNumber, body].every(
      (value) => value === null || typeof value === 'string',
    )
  );
}
