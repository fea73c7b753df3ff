// One CRL on the disk, held open: whoever reads it reads this very CRL to its end, also when a newer one has taken its place
// and its name is gone. Small ones are in memory as well, and cost a request nothing but the copy.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { FilePart } from './file-part.ts';

/** Largest CRL that is held in memory. */
const largestInMemory = 256 * 1024;

/** An open CRL. */
export class CrlFile {
  readonly path: string;
  readonly size: number;
  /** All of it, when it is small. */
  readonly contents: Buffer | undefined;
  readonly #descriptor: number;
  #readers = 0;
  #isRetired = false;

  /** @throws {Error} when it cannot be read */
  constructor(path: string) {
    this.path = path;
    this.#descriptor = openSync(path, 'r');
    this.size = fstatSync(this.#descriptor).size;
    this.contents = this.size <= largestInMemory ? this.#readAll() : undefined;
  }

  /** A stream of the octets from `first` to `last`, both included. */
  stream(first: number, last: number): Readable {
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

  #readAll(): Buffer {
    const contents = Buffer.allocUnsafe(this.size);
    for (let at = 0; at < this.size; ) {
      const count = readSync(this.#descriptor, contents, at, this.size - at, at);
      if (count === 0) throw new Error(`${this.path} has become shorter`);
      at += count;
    }
    return contents;
  }

  #closeIfUnused(): void {
    if (this.#isRetired && this.#readers === 0) closeSync(this.#descriptor);
  }
}
