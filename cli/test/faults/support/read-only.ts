// A directory that nothing can be written into. Root may write whatever the mode says, so as root the directory is
// mounted read-only, and where that is not possible the process runs as somebody else.

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandOptions } from './command.ts';

/** What undoes it, and how a process must be started to meet it. */
export type ReadOnly = { readonly options: CommandOptions; undo(): void };

/** The user `nobody` everywhere. */
const nobody = 65_534;

/** Makes a directory read-only. Undo it also when the test fails: nobody could remove the directory. */
export function makeReadOnly(directory: string): ReadOnly {
  const isRoot = process.getuid?.() === 0;
  if (isRoot && mountReadOnly(directory)) {
    return { options: {}, undo: () => void execFileSync('umount', [directory]) };
  }
  setModes(directory, isRoot ? nobody : undefined, 0o500, 0o400);
  return {
    options: isRoot ? { uid: nobody } : {},
    undo: () => setModes(directory, process.getuid?.(), 0o700, 0o600),
  };
}

function mountReadOnly(directory: string): boolean {
  try {
    execFileSync('mount', ['--bind', directory, directory], { stdio: 'ignore' });
  } catch {
    return false;
  }
  execFileSync('mount', ['-o', 'remount,ro,bind', directory]);
  return true;
}

function setModes(path: string, owner: number | undefined, folderMode: number, fileMode: number): void {
  const isFolder = lstatSync(path).isDirectory();
  chmodSync(path, isFolder ? 0o700 : fileMode);
  if (isFolder) for (const name of readdirSync(path)) setModes(join(path, name), owner, folderMode, fileMode);
  chmodSync(path, isFolder ? folderMode : fileMode);
  if (owner !== undefined) chownSync(path, owner, owner);
}
