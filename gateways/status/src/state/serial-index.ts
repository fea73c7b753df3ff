// Where the response for a serial number is, as a hash table in two typed arrays: a dozen octets for each place, nothing for
// the garbage collector to walk over, and one look at memory for most questions. The keys themselves stand where the
// responses are; whoever asks says how to compare them.

/** Says whether the entry at a place has the key that is looked for. */
export type HasKey = (place: number) => boolean;

const empty = 0;
const removed = -1;
const firstCapacity = 1024;

/** Places by hash. A place is a number of 0 or more. */
export class SerialIndex {
  #capacity = firstCapacity;
  /** A place, one more than it is. */
  #places = new Float64Array(firstCapacity);
  #hashes = new Uint32Array(firstCapacity);
  #size = 0;
  /** Slots that are not empty, those that were emptied included. */
  #used = 0;

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** Octets that the table takes. */
  get octets(): number {
    return this.#capacity * 12;
  }

  /** The place of a key, or undefined. */
  find(hash: number, hasKey: HasKey): number | undefined {
    const slot = this.#slotOf(hash, hasKey);
    return slot === undefined ? undefined : (this.#places[slot] ?? 0) - 1;
  }

  /** Adds a key that is not there. */
  add(hash: number, place: number): void {
    if (this.#used * 2 >= this.#capacity) this.#rebuild();
    this.#put(hash, place + 1);
    this.#size++;
    this.#used++;
  }

  /** Removes a key. @returns where it was */
  remove(hash: number, hasKey: HasKey): number | undefined {
    const slot = this.#slotOf(hash, hasKey);
    if (slot === undefined) return undefined;
    const place = (this.#places[slot] ?? 0) - 1;
    this.#places[slot] = removed;
    this.#size--;
    return place;
  }

  /** All places, in no order. */
  *all(): Generator<number, void, undefined> {
    for (const place of this.#places) if (place > 0) yield place - 1;
  }

  #slotOf(hash: number, hasKey: HasKey): number | undefined {
    const mask = this.#capacity - 1;
    // At most half of the slots are used: there is an empty one.
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const place = this.#places[slot] ?? empty;
      if (place === empty) return undefined;
      if (place > 0 && this.#hashes[slot] === hash >>> 0 && hasKey(place - 1)) return slot;
    }
  }

  #put(hash: number, stored: number): void {
    const mask = this.#capacity - 1;
    let slot = hash & mask;
    while (this.#places[slot] !== empty) slot = (slot + 1) & mask;
    this.#places[slot] = stored;
    this.#hashes[slot] = hash;
  }

  /** Twice as large when it is full, as large as before when it is full of what was removed. */
  #rebuild(): void {
    const places = this.#places;
    const hashes = this.#hashes;
    if (this.#size * 4 >= this.#capacity) this.#capacity *= 2;
    this.#places = new Float64Array(this.#capacity);
    this.#hashes = new Uint32Array(this.#capacity);
    this.#used = this.#size;
    places.forEach((place, slot) => {
      if (place > 0) this.#put(hashes[slot] ?? 0, place);
    });
  }
}

/** Hash of a serial number (hexadecimal) of an authority: FNV-1a, which is enough for what the CA itself drew at random. */
export function hashSerialNumber(authority: number, serialNumber: string): number {
  let hash = 0x811c9dc5 ^ authority;
  for (let at = 0; at < serialNumber.length; at++) {
    hash = Math.imul(hash ^ serialNumber.charCodeAt(at), 0x01000193);
  }
  // The low bits choose the slot.
  return hash ^ (hash >>> 15);
}
