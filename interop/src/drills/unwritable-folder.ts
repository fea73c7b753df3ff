// A folder that a drill can make unwritable: its disk runs full where one can be mounted, and where the drill is not root, its
// permissions are taken away.

import { chmodSync } from 'node:fs';
import { makeSmallDisk } from './small-disk.ts';

/** The folder. */
export type UnwritableFolder = {
  readonly directory: string;
  /** How nothing can be written to it. */
  readonly fault: 'full' | 'read-only';
  /** From now on the process `pid` can write nothing to it. */
  shut(pid: number): void;
  open(pid: number): void;
  remove(): void;
};

/** Makes one. */
export function makeUnwritableFolder(): UnwritableFolder {
  const { directory, fill, free, remove } = makeSmallDisk();
  if (process.getuid?.() === 0) return { directory, fault: 'full', shut: fill, open: free, remove };
  return {
    directory,
    fault: 'read-only',
    shut: () => chmodSync(directory, 0o500),
    open: () => chmodSync(directory, 0o700),
    remove: () => {
      chmodSync(directory, 0o700);
      remove();
    },
  };
}
