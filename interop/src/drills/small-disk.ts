// A disk that a drill can fill. As root it is a small file system in memory; where none can be mounted, the limit on the
// size of files (RLIMIT_FSIZE) takes its part: a write fails all the same, only by another name.

import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A disk of limited size. */
export type SmallDisk = {
  readonly directory: string;
  /** From now on the process `pid` cannot write to it any more. */
  fill(pid: number): void;
  /** Ends that. */
  free(pid: number): void;
  remove(): void;
};

const megabytes = 16;
/** Every file that a database writes is larger than this many octets. */
const fileLimit = 4096;

/** Makes one. */
export function makeSmallDisk(): SmallDisk {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-disk-'));
  const isMounted = mount(directory);
  const ballast = join(directory, 'ballast');
  const limit = (pid: number, size: string): void => {
    execFileSync('prlimit', ['--pid', String(pid), `--fsize=${size}`]);
  };
  return {
    directory,
    fill: (pid) => (isMounted ? writeUntilFull(ballast) : limit(pid, `${fileLimit}:`)),
    free: (pid) => (isMounted ? rmSync(ballast) : limit(pid, 'unlimited:')),
    remove: () => {
      if (isMounted) execFileSync('umount', ['--lazy', directory]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function mount(directory: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'none', directory], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

function writeUntilFull(file: string): void {
  const descriptor = openSync(file, 'w');
  try {
    for (let octets = 65_536; octets > 0; ) {
      try {
        writeSync(descriptor, Buffer.alloc(octets));
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
        octets = Math.floor(octets / 2);
      }
    }
  } finally {
    closeSync(descriptor);
  }
}
