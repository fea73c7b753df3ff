// How much room is left where the data lives: a store that runs full stops issuing, so readiness says so while there is
// still a reserve. It only looks; it must never free or allocate anything.

import { statfs } from 'node:fs/promises';

/**
 * Bytes that this process (not only root) may still write to the file system that holds `path`.
 *
 * @param path an existing file or directory
 */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
