/**
 * One core a data directory: two that shared one SQLite database would fork its audit chain. The hold is a lock of the
 * operating system on run/core.lock (through an exclusive SQLite transaction), so a core that was killed leaves none.
 */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type DatabaseError, toDatabaseError } from '@gatehouse/runtime/database/sqlite';
import { FatalError } from '@gatehouse/runtime/fatal';

/** How long a core that is being stopped may take to let go. */
const waitMs = 5_000;

/** Takes the hold; the answer lets it go. Throws FatalError when another core has it, or the directory cannot be written. */
export async function holdDataDirectory(directory: string): Promise<() => void> {
  const file = join(directory, 'run', 'core.lock');
  const deadline = performance.now() + waitMs;
  let lock: DatabaseSync | undefined;
  for (;;) {
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      // On a file that it cannot write SQLite would give a lock that keeps nobody out.
      accessSync(dirname(file), constants.W_OK);
      lock ??= new DatabaseSync(file);
      lock.exec('BEGIN EXCLUSIVE');
      const held = lock;
      return () => held.close();
    } catch (error) {
      const cause = toDatabaseError(error);
      const isHeld = cause.code === 'busy';
      if (!isHeld || performance.now() > deadline) {
        lock?.close();
        throw isHeld ? heldByAnother(directory, cause) : cannotWrite(dirname(file), cause);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function heldByAnother(directory: string, cause: DatabaseError): FatalError {
  return new FatalError(`another core is running on ${directory}`, {
    hint: 'stop it first; run/core.json names its process',
    cause,
  });
}

function cannotWrite(folder: string, cause: DatabaseError): FatalError {
  const code = cause.cause instanceof Error && 'code' in cause.cause ? String(cause.cause.code) : '';
  const [reason, hint] = writeFailures[code] ?? writeFailures[cause.code] ?? [cause.message, writableHint];
  return new FatalError(`cannot write in ${folder}: ${reason}`, { hint, cause });
}

const writableHint = 'the data directory must be writable for the user that runs the core';
const diskFull = ['the disk is full', 'free some space and start again; nothing was changed'] as const;

/** By code of node:fs or of SQLite: what is said, and what to do. */
const writeFailures: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  ENOSPC: diskFull,
  'disk-full': diskFull,
  EROFS: ['the file system is read-only', `mount it writable: ${writableHint}`],
  EACCES: ['permission denied', writableHint],
  EPERM: ['permission denied', writableHint],
};
