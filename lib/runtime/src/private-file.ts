// Files that hold keys and other secrets: written so that a crash leaves the old one or the new one, read only if
// nobody else can read them. A private file is never created with wider permissions and narrowed later, and never read
// when group or others may read it.

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { FatalError } from './fatal.ts';

const maximumSize = 1024 * 1024;

/**
 * Writes a file with mode 0600, durably and all at once.
 *
 * @throws {FatalError} when it cannot be written, naming the cause
 */
export function writePrivateFile(path: string, data: Uint8Array | string): void {
  writeFileAtomic(path, data, 0o600);
}

/**
 * Writes a file durably and all at once: into a temporary file beside it, fsync, rename, fsync of the directory. A
 * reader sees the old contents or the new.
 *
 * @param mode permission bits, independent of the umask
 * @throws {FatalError} when it cannot be written, naming the cause
 */
export function writeFileAtomic(path: string, data: Uint8Array | string, mode = 0o644): void {
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  refuseDevice(path);
  try {
    writeNew(temporary, data, mode);
    renameOver(temporary, path);
    syncDirectory(directory);
  } catch (error) {
    throw fileFailure('write', path, error);
  }
}

// A rename takes the name away from whatever had it: where root says `--out /dev/null`, the machine would lose its /dev/null.
function refuseDevice(path: string): void {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined || status.isFile() || status.isDirectory()) return;
  throw new FatalError(`cannot write ${path}: it is a device or a pipe`, { hint: 'name a file' });
}

/**
 * Reads a file that only its owner may read.
 *
 * @throws {FatalError} when the file is missing, larger than 1 MiB, or readable or writable by group or others; the
 * message names the mode and the hint the chmod
 */
export function readPrivateFile(path: string): Buffer {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY);
  } catch (error) {
    throw fileFailure('read', path, error);
  }
  try {
    // The open file is looked at, not the name: what is checked is what is read.
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw new FatalError(`${path} is not a file`);
    if ((status.mode & 0o077) !== 0) {
      const mode = (status.mode & 0o7777).toString(8).padStart(4, '0');
      throw new FatalError(`${path} holds a secret but has mode ${mode}: group or others may use it`, {
        hint: `run: chmod 600 '${path}'`,
      });
    }
    if (status.size > maximumSize)
      throw new FatalError(`${path} is larger than ${maximumSize} bytes; it cannot be a key`);
    return readFileSync(descriptor);
  } catch (error) {
    throw error instanceof FatalError ? error : fileFailure('read', path, error);
  } finally {
    closeSync(descriptor);
  }
}

function writeNew(path: string, data: Uint8Array | string, mode: number): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const descriptor = openSync(path, flags, mode);
  try {
    // The umask may have taken bits away that the caller asked for.
    fchmodSync(descriptor, mode);
    writeFileSync(descriptor, data);
    fsyncSync(descriptor);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function renameOver(temporary: string, path: string): void {
  try {
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

// Without this the rename itself may be lost when the machine stops.
function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function fileFailure(verb: 'read' | 'write', path: string, cause: unknown): FatalError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  switch (code) {
    case 'ENOENT':
      return new FatalError(
        `cannot ${verb} ${path}: ${verb === 'read' ? 'it does not exist' : 'its directory does not exist'}`,
        { cause },
      );
    case 'EACCES':
    case 'EPERM':
      return new FatalError(`cannot ${verb} ${path}: permission denied`, {
        hint: 'check the owner of the file and of its directory',
        cause,
      });
    case 'ENOSPC':
    case 'EDQUOT':
      return new FatalError(`cannot ${verb} ${path}: the disk is full`, {
        hint: 'free some space; nothing was changed',
        cause,
      });
    case 'EROFS':
      return new FatalError(`cannot ${verb} ${path}: the file system is read-only`, { cause });
    default:
      return new FatalError(`cannot ${verb} ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      });
  }
}
