// Work of many accounts, taken in turns: one that has a hundred names on servers that answer as slowly as they may does not make
// the others wait for all of them.

/** Ids that wait, by who they are of. */
export class FairQueue {
  readonly #lines = new Map<string, string[]>();

  /** Waits behind what is of the same owner. */
  push(owner: string, id: string): void {
    const line = this.#lines.get(owner);
    if (line === undefined) this.#lines.set(owner, [id]);
    else line.push(id);
  }

  /** The next one, of whoever has waited longest for his turn; undefined when nothing waits. */
  shift(): string | undefined {
    const [first] = this.#lines;
    if (first === undefined) return undefined;
    const [owner, line] = first;
    const id = line.shift();
    this.#lines.delete(owner);
    if (line.length > 0) this.#lines.set(owner, line);
    return id;
  }

  /** All that wait. */
  *[Symbol.iterator](): Generator<string> {
    for (const line of this.#lines.values()) yield* line;
  }
}
