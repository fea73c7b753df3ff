// Where the local control socket of a process is, and how a path reaches the system. The folder is closed to everybody but
// the owner before the socket is made: in the moment between bind and chmod the umask would else decide who may connect.

import { chmodSync, closeSync, constants, lstatSync, mkdirSync, openSync, unlinkSync } from 'node:fs';
import { createConnection } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { FatalError } from '../fatal.ts';

/** The socket of the process `name` of a data directory. */
export function localControlSocket(directory: string, name: string): string {
  return join(directory, 'run/control', `${name}.sock`);
}

/** `sun_path` has room for 104 octets on the smallest systems, with the zero at its end. */
const longestPathOctets = 103;

/** A path that fits into a socket address. It is good until it is released. */
export type SocketPath = { readonly path: string; release(): void };

/**
 * The path as the system takes it: where it is too long, through the descriptor of its folder.
 *
 * @throws {FatalError} when there is no such way
 */
export function openSocketPath(file: string): SocketPath {
  if (Buffer.byteLength(file) <= longestPathOctets) return { path: file, release: () => undefined };
  if (process.platform !== 'linux') {
    throw new FatalError(`the path ${file} is too long for a socket`, { hint: 'use a data directory nearer to /' });
  }
  const descriptor = openSync(dirname(file), constants.O_RDONLY | constants.O_DIRECTORY);
  return {
    path: `/proc/self/fd/${descriptor}/${basename(file)}`,
    release: () => closeSync(descriptor),
  };
}

/**
 * Makes the folder, for its owner alone, and removes the socket that a process left behind when it was killed.
 *
 * @throws {FatalError} when somebody answers on the socket, the folder is somebody else's, or the file is no socket
 */
export async function prepareSocket(file: string): Promise<void> {
  const folder = dirname(file);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const status = lstatSync(folder);
    if (!status.isDirectory() || status.uid !== process.getuid?.()) {
      throw new FatalError(`${folder} is not a directory of this process's user`, { hint: `remove ${folder}` });
    }
    if ((status.mode & 0o077) !== 0) chmodSync(folder, 0o700);
  } catch (error) {
    if (error instanceof FatalError) throw error;
    throw new FatalError(`cannot make ${folder}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new FatalError(`${file} is in the way: it is no socket`, { hint: `remove ${file}` });
  if (await isAnswered(file)) {
    throw new FatalError(`another process answers on ${file}`, { hint: 'stop it first: two cannot share a directory' });
  }
  unlinkSync(file);
}

async function isAnswered(file: string): Promise<boolean> {
  const { path, release } = openSocketPath(file);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const connection = createConnection({ path });
  connection.once('connect', () => resolve(true));
  // Only a refused connection says that nobody listens; a listener with a full queue is not a dead one.
  connection.once('error', (error) => resolve(!('code' in error) || !isAbsence(error.code)));
  try {
    return await promise;
  } finally {
    connection.destroy();
    release();
  }
}

/** Whether a failed connection says that there is no listener. */
export function isAbsence(code: unknown): boolean {
  return code === 'ECONNREFUSED' || code === 'ENOENT';
}
