// A disk that a test can fill. As root it is a small file system in memory; where none can be mounted, the limit on the
// size of files (RLIMIT_FSIZE) takes its part: SQLite meets a write that fails all the same, only by another name.

import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { CommandOptions } from './command.ts';

/** A disk of limited size. */
export type LimitedDisk = {
  readonly directory: string;
  /** What the core calls the failure. */
  readonly failure: RegExp;
  /** What it advises. */
  readonly advice: RegExp;
  /** From now on nothing more can be written, also by the process `pid`, which runs; or only so many octets. */
  fill(options?: { readonly pid?: number; readonly leaves?: number }): void;
  /** Ends that. */
  free(pid?: number): void;
  /** For processes that are started while it is full. */
  readonly whileFull: CommandOptions;
};

const megabytes = 12;

/** Makes one, gone after the test. */
export function limitedDisk(context: Pick<TestContext, 'after'>): LimitedDisk {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-disk-'));
  const disk = mount(directory);
  void mount;
  context.after(() => {
    if (disk !== undefined) execFileSync('umount', ['--lazy', directory]);
    rmSync(directory, { recursive: true, force: true });
  });
  return disk ?? limitFiles(directory);
}

function mount(directory: string): LimitedDisk | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'none', directory], {
      stdio: 'ignore',
    });
  } catch {
    return undefined;
  }
  const ballast = join(directory, 'ballast');
  return {
    directory,
    failure: /disk .*full/,
    advice: /free some space/,
    fill: ({ leaves = 0 } = {}) => {
      writeUntilFull(ballast);
      if (leaves > 0) truncateSync(ballast, statSync(ballast).size - leaves);
    },
    free: () => rmSync(ballast),
    whileFull: {},
  };
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

/** Every file that the store writes is larger than this many octets. */
const fileLimit = 4096;

function limitFiles(directory: string): LimitedDisk {
  const limit = (pid: number | undefined, size: string): void => {
    if (pid !== undefined) execFileSync('prlimit', ['--pid', String(pid), `--fsize=${size}`]);
  };
  return {
    directory,
    failure: /cannot (open|write)|disk/,
    advice: /disk|space|writable/,
    fill: ({ pid } = {}) => limit(pid, `${fileLimit}:`),
    free: (pid) => limit(pid, 'unlimited:'),
    whileFull: { through: ['prlimit', `--fsize=${fileLimit}:`] },
  };
}
