/**
 * A log file that cannot fill the disk: when it is full it becomes `<file>.1`, in place of an older one. A log that
 * cannot be written must not stop what it is about.
 */
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export type LogFile = {
  write(line: string): void;
  close(): void;
};

const maximumOctets = 16 * 1024 * 1024;

/** Opens the file for appending; it and its directory are made when there are none. */
export function openLogFile(path: string, largest: number = maximumOctets): LogFile {
  let descriptor = open(path);
  let size = sizeOf(descriptor);
  return {
    write(line) {
      if (descriptor === undefined) return;
      try {
        if (size > largest) {
          closeSync(descriptor);
          descriptor = undefined;
          renameSync(path, `${path}.1`);
          descriptor = open(path);
          size = 0;
        }
        if (descriptor !== undefined) size += writeSync(descriptor, `${line}\n`);
      } catch {
        // A full disk is told by the core's readiness; the line is lost, the next one is tried again.
      }
    },
    close() {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

function open(path: string): number | undefined {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return openSync(path, 'a', 0o600);
  } catch {
    return undefined;
  }
}

function sizeOf(descriptor: number | undefined): number {
  return descriptor === undefined ? 0 : fstatSync(descriptor).size;
}
