// Makes a rename in a directory durable: without it the new name may be lost when the machine stops.
import { closeSync, constants, fsyncSync, openSync } from 'node:fs';

/** fsync of a directory. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
