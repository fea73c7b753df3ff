// One CRL: a small one in memory, a large one in a file that is held open, so that whoever reads it reads this very CRL to its
// end, also when a newer one has taken its place and its name is gone.

import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { FilePart } from './file-part.ts';

/** Largest CRL that is held in memory: there may be thousands of shards. */
const largestInMemory = 64 * 1024;

/** An open CRL. */
export class CrlFile {
  readonly path: string;
  readonly size: number;
  /** All of it, when it is small. */
  readonly contents: Buffer | undefined;
  /** Of a large one. */
  readonly #descriptor: number | undefined;
  #readers = 0;
  #isRetired = false;

  /** @throws {Error} when it cannot be read */
  constructor(path: string) {
    this.path = path;
    const descriptor = openSync(path, 'r');
    let isNeeded = false;
    try {
      this.size = fstatSync(descriptor).size;
      isNeeded = this.size > largestInMemory;
      this.contents = isNeeded ? undefined : readFileSync(descriptor);
    } finally {
      if (!isNeeded) closeSync(descriptor);
    }
    this.#descriptor = isNeeded ? descriptor : undefined;
  }

  /** A stream of the octets from `first` to `last`, both included. */
  stream(first: number, last: number): Readable {
    if (this.#descriptor === undefined) return Readable.from([this.contents?.subarray(first, last + 1)]);
    this.#readers++;
    return new FilePart(this.#descriptor, first, last, () => {
      this.#readers--;
      this.#closeIfUnused();
    });
  }

  /** Nobody will ask for it any more; it is closed when those who read it have ended. */
  retire(): void {
    this.#isRetired = true;
    this.#closeIfUnused();
  }

  #closeIfUnused(): void {
    if (this.#isRetired && this.#readers === 0 && this.#descriptor !== undefined) closeSync(this.#descriptor);
  }
}
