// A stream of a part of an open file that others read too: it reads at its own places and never closes the file. (The one
// that node has closes the descriptor when it is destroyed, whatever it is told.)

import { read } from 'node:fs';
import { Readable } from 'node:stream';

const readOctets = 128 * 1024;

/** The octets of an open file from one to another. */
export class FilePart extends Readable {
  readonly #descriptor: number;
  readonly #last: number;
  readonly #ended: () => void;
  #next: number;
  #afterRead: (() => void) | undefined;
  #isReading = false;

  /** @param last included @param ended called once when the file is not read any more */
  constructor(descriptor: number, first: number, last: number, ended: () => void) {
    super({ highWaterMark: readOctets });
    this.#descriptor = descriptor;
    this.#next = first;
    this.#last = last;
    this.#ended = ended;
  }

  override _read(): void {
    const length = Math.min(readOctets, this.#last + 1 - this.#next);
    if (length <= 0) {
      this.push(null);
      return;
    }
    this.#isReading = true;
    read(this.#descriptor, Buffer.allocUnsafe(length), 0, length, this.#next, (error, count, octets) => {
      this.#isReading = false;
      if (this.#afterRead !== undefined) this.#afterRead();
      else if (error !== null) this.destroy(error);
      else if (count === 0) this.destroy(new Error('the file has become shorter'));
      else {
        this.#next += count;
        this.push(octets.subarray(0, count));
      }
    });
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const end = (): void => {
      this.#ended();
      callback(error);
    };
    // A descriptor that is being read must not be given to somebody else.
    if (this.#isReading) this.#afterRead = end;
    else end();
  }
}
