// How far this gate has got with following the keep, as it is remembered over a restart: when everything was loaded for the
// first time, and when it last had everything that there was.

import type { StatusDatabase } from './database.ts';

/** Remembers times; epoch milliseconds. */
export class Progress {
  readonly #database: StatusDatabase;
  #loadedAt: number | undefined;
  #currentAt: number;

  constructor(database: StatusDatabase) {
    this.#database = database;
    const read = database.raw.prepare('select value from meta where key = ?');
    const loadedAt = read.get('loaded_at')?.value;
    this.#loadedAt = loadedAt === undefined ? undefined : Number(loadedAt);
    this.#currentAt = Number(read.get('current_at')?.value ?? 0);
  }

  /** Whether everything was loaded once. */
  get wasLoaded(): boolean {
    return this.#loadedAt !== undefined;
  }

  /** When it last had everything; 0: never. */
  get currentAt(): number {
    return this.#currentAt;
  }

  /** It has everything now. @throws {Error} when the disk fails */
  reached(now: number): void {
    this.#currentAt = now;
    const write = this.#database.raw.prepare('insert or replace into meta (key, value) values (?, ?)');
    if (this.#loadedAt === undefined) {
      this.#loadedAt = now;
      write.run('loaded_at', String(now));
    }
    write.run('current_at', String(now));
  }
}
