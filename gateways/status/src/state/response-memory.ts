// Pre-signed responses in memory: large slabs that are filled one after the other, and an index that says where in them a
// serial number is. A million certificates are so a few hundred objects for the garbage collector, not millions. When it is
// full, the oldest slab goes: what is in it is on the disk too, and comes back when it is asked for.

import { hashSerialNumber, SerialIndex } from './serial-index.ts';

/** A response as it is held; `record` from `start` on is what response-record wrote. */
export type HeldResponse = {
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Number of its responder. */
  readonly responder: number;
  /** Whether thisUpdate tells it from the response before; not when both are of one second. */
  readonly isDateCertain: boolean;
  readonly record: Buffer;
  readonly start: number;
  readonly length: number;
};

/** Where what stands in an entry, before the serial number and the record. */
const places = {
  thisUpdate: 0,
  nextUpdate: 8,
  responder: 16,
  length: 20,
  authority: 24,
  isDateCertain: 25,
  serialLength: 26,
} as const;
const headOctets = 27;

type Slab = { readonly octets: Buffer; used: number; live: number };

/** Responses by authority (a number below 256) and serial number. */
export class ResponseMemory {
  readonly #maximumOctets: number;
  readonly #slabOctets: number;
  /** By their number, oldest first. */
  readonly #slabs = new Map<number, Slab>();
  /** Where an entry begins, counted from the first octet that ever was. */
  readonly #index = new SerialIndex();
  #current = -1;

  constructor(maximumOctets: number, slabOctets = 1024 * 1024) {
    this.#maximumOctets = maximumOctets;
    this.#slabOctets = slabOctets;
  }

  /** How many responses are held. */
  get size(): number {
    return this.#index.size;
  }

  /** What they take. */
  get octets(): number {
    return this.#slabs.size * this.#slabOctets + this.#index.octets;
  }

  /** Whether there is room for another slab. */
  get hasRoom(): boolean {
    return this.octets + this.#slabOctets <= this.#maximumOctets;
  }

  /** Looks one up. What it gives stays as it is: a slab is never written twice. */
  find(authority: number, serialNumber: string): HeldResponse | undefined {
    const hash = hashSerialNumber(authority, serialNumber);
    const place = this.#index.find(hash, (at) => this.#hasKey(at, authority, serialNumber));
    if (place === undefined) return undefined;
    const octets = this.#slabs.get(Math.floor(place / this.#slabOctets))?.octets;
    return octets && readEntry(octets, place % this.#slabOctets);
  }

  /**
   * Holds a response in place of another. An entry larger than a slab is not held.
   *
   * @returns whether everything is held still that was, and this one too
   */
  put(authority: number, serialNumber: string, response: HeldResponse): boolean {
    const { record, start, length } = response;
    const serial = Buffer.from(serialNumber, 'hex');
    const size = headOctets + serial.length + length;
    this.delete(authority, serialNumber);
    if (size > this.#slabOctets) return false;
    const wasRoom = this.#makeRoom(size);
    const slab = this.#slabs.get(this.#current);
    if (slab === undefined) return false;
    const { octets, used: at } = slab;
    octets.writeDoubleLE(response.thisUpdate, at + places.thisUpdate);
    octets.writeDoubleLE(response.nextUpdate, at + places.nextUpdate);
    octets.writeUInt32LE(response.responder, at + places.responder);
    octets.writeUInt32LE(length, at + places.length);
    octets[at + places.authority] = authority;
    octets[at + places.isDateCertain] = response.isDateCertain ? 1 : 0;
    octets[at + places.serialLength] = serial.length;
    serial.copy(octets, at + headOctets);
    record.copy(octets, at + headOctets + serial.length, start, start + length);
    slab.used += size;
    slab.live++;
    this.#index.add(hashSerialNumber(authority, serialNumber), this.#current * this.#slabOctets + at);
    return wasRoom;
  }

  /** Forgets one. */
  delete(authority: number, serialNumber: string): void {
    const hash = hashSerialNumber(authority, serialNumber);
    const place = this.#index.remove(hash, (at) => this.#hasKey(at, authority, serialNumber));
    if (place !== undefined) this.#release(Math.floor(place / this.#slabOctets));
  }

  /** Forgets all of an authority. */
  clear(authority: number): void {
    for (const place of [...this.#index.all()]) {
      const octets = this.#slabs.get(Math.floor(place / this.#slabOctets))?.octets;
      const at = place % this.#slabOctets;
      if (octets?.[at + places.authority] === authority) this.delete(authority, serialNumberAt(octets, at));
    }
  }

  #release(number: number): void {
    const slab = this.#slabs.get(number);
    if (slab === undefined) return;
    slab.live--;
    if (slab.live === 0 && number !== this.#current) this.#slabs.delete(number);
  }

  /** Sees to it that an entry goes into the current slab. @returns whether nothing had to go for it */
  #makeRoom(size: number): boolean {
    const current = this.#slabs.get(this.#current);
    if (current !== undefined && current.used + size <= this.#slabOctets) return true;
    if (current?.live === 0) this.#slabs.delete(this.#current);
    let wasRoom = true;
    while (this.#slabs.size > 0 && !this.hasRoom) {
      this.#evictOldest();
      wasRoom = false;
    }
    this.#current++;
    this.#slabs.set(this.#current, { octets: Buffer.allocUnsafeSlow(this.#slabOctets), used: 0, live: 0 });
    return wasRoom;
  }

  #evictOldest(): void {
    for (const [number, { octets, used }] of this.#slabs) {
      for (let at = 0; at < used; at += entryLength(octets, at)) {
        const place = number * this.#slabOctets + at;
        const hash = hashSerialNumber(octets[at + places.authority] ?? 0, serialNumberAt(octets, at));
        // Unless it was replaced since, by one that is somewhere else.
        this.#index.remove(hash, (found) => found === place);
      }
      this.#slabs.delete(number);
      return;
    }
  }

  #hasKey(place: number, authority: number, serialNumber: string): boolean {
    const octets = this.#slabs.get(Math.floor(place / this.#slabOctets))?.octets;
    if (octets === undefined) return false;
    const at = place % this.#slabOctets;
    return octets[at + places.authority] === authority && isSerialNumberAt(octets, at, serialNumber);
  }
}

function readEntry(octets: Buffer, at: number): HeldResponse {
  return {
    thisUpdate: octets.readDoubleLE(at + places.thisUpdate),
    nextUpdate: octets.readDoubleLE(at + places.nextUpdate),
    responder: octets.readUInt32LE(at + places.responder),
    isDateCertain: octets[at + places.isDateCertain] === 1,
    record: octets,
    start: at + headOctets + (octets[at + places.serialLength] ?? 0),
    length: octets.readUInt32LE(at + places.length),
  };
}

function entryLength(octets: Buffer, at: number): number {
  return headOctets + (octets[at + places.serialLength] ?? 0) + octets.readUInt32LE(at + places.length);
}

function serialNumberAt(octets: Buffer, at: number): string {
  const start = at + headOctets;
  return octets.toString('hex', start, start + (octets[at + places.serialLength] ?? 0));
}

/** Compares without making a text of it. */
function isSerialNumberAt(octets: Buffer, at: number, serialNumber: string): boolean {
  const length = octets[at + places.serialLength] ?? 0;
  if (serialNumber.length !== length * 2) return false;
  const start = at + headOctets;
  for (let i = 0; i < length; i++) {
    const value = (digit(serialNumber.charCodeAt(2 * i)) << 4) | digit(serialNumber.charCodeAt(2 * i + 1));
    if (octets[start + i] !== value) return false;
  }
  return true;
}

/** Value of a lower-case hexadecimal digit by its code; something above 15 for any other character. */
function digit(code: number): number {
  if (code >= 0x61) return code - 0x57;
  return code >= 0x30 && code <= 0x39 ? code - 0x30 : 256;
}
