/**
 * A database that is gone must not be taken for one that was never made: a core that began anew would know neither what
 * it has issued nor what it has revoked, and would answer old requests a second time. The seals of the audit log, which
 * are kept outside of the database, say that there was one.
 */
import { statSync } from 'node:fs';
import { FatalError } from '@gatehouse/runtime/fatal';

/**
 * Refuses to go on where the database is missing or empty but its seals are not. Call it before the database is opened,
 * which would make a new one.
 *
 * @throws {FatalError}
 */
export function refuseLostDatabase(databaseFile: string, sealsFile: string): void {
  if (sizeOf(databaseFile) > 0 || sizeOf(sealsFile) === 0) return;
  throw new FatalError(`the database ${databaseFile} is missing or empty, but ${sealsFile} shows that there was one`, {
    hint: 'restore the database from a backup; a new one would not know what was issued and revoked',
  });
}

/** Octets; 0 for a file that is not there. What cannot be looked at is reported when it is opened. */
function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
