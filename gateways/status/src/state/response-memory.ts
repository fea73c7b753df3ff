// Pre-signed responses in memory: large slabs that are filled one after the other, and an index that says where in them a
// serial number is. A million certificates are so a few hundred objects for the garbage collector, not millions. When it is
// full, the oldest slab goes: what is in it is on the disk too, and comes back when it is asked for.

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

/** Before a record: thisUpdate, nextUpdate, responder, length, authority, isDateCertain, length of the serial number. */
const headOctets = 27;
/** What the index costs for one entry, about: a string of 40 characters, a number, and the place in the table. */
const indexOctets = 128;

type Slab = { readonly octets: Buffer; used: number; live: number };

/** Responses by authority (a number) and serial number. */
export class ResponseMemory {
  readonly #maximumOctets: number;
  readonly #slabOctets: number;
  /** By their number, oldest first. */
  readonly #slabs = new Map<number, Slab>();
  /** By authority: where a serial number's entry begins, counted from the first octet that ever was. */
  readonly #index: Map<string, number>[] = [];
  #current = -1;
  #size = 0;

  constructor(maximumOctets: number, slabOctets = 1024 * 1024) {
    this.#maximumOctets = maximumOctets;
    this.#slabOctets = slabOctets;
  }

  /** How many responses are held. */
  get size(): number {
    return this.#size;
  }

  /** What they take, about. */
  get octets(): number {
    return this.#slabs.size * this.#slabOctets + this.#size * indexOctets;
  }

  /** Whether there is room for another slab. */
  get hasRoom(): boolean {
    return this.octets + this.#slabOctets <= this.#maximumOctets;
  }

  /** Looks one up. What it gives stays as it is: a slab is never written twice. */
  find(authority: number, serialNumber: string): HeldResponse | undefined {
    const place = this.#index[authority]?.get(serialNumber);
    if (place === undefined) return undefined;
    const slab = this.#slabs.get(Math.floor(place / this.#slabOctets));
    if (slab === undefined) return undefined;
    return readEntry(slab.octets, place % this.#slabOctets);
  }

  /** Holds a response in place of another. An entry larger than a slab is not held. @returns whether an older one had to go */
  put(authority: number, serialNumber: string, response: HeldResponse): boolean {
    const { record, start, length } = response;
    const serial = Buffer.from(serialNumber, 'hex');
    const size = headOctets + serial.length + length;
    this.delete(authority, serialNumber);
    if (size > this.#slabOctets) return true;
    const { slab, hasEvicted } = this.#slabFor(size);
    const at = slab.used;
    const { octets } = slab;
    octets.writeDoubleLE(response.thisUpdate, at);
    octets.writeDoubleLE(response.nextUpdate, at + 8);
    octets.writeUInt32LE(response.responder, at + 16);
    octets.writeUInt32LE(length, at + 20);
    octets[at + 24] = authority;
    octets[at + 25] = response.isDateCertain ? 1 : 0;
    octets[at + 26] = serial.length;
    serial.copy(octets, at + headOctets);
    record.copy(octets, at + headOctets + serial.length, start, start + length);
    slab.used += size;
    slab.live++;
    this.#tableOf(authority).set(serialNumber, this.#current * this.#slabOctets + at);
    this.#size++;
    return hasEvicted;
  }

  /** Forgets one. */
  delete(authority: number, serialNumber: string): void {
    const table = this.#index[authority];
    const place = table?.get(serialNumber);
    if (table === undefined || place === undefined) return;
    table.delete(serialNumber);
    this.#size--;
    this.#release(Math.floor(place / this.#slabOctets));
  }

  /** Forgets all of an authority. */
  clear(authority: number): void {
    for (const serialNumber of this.#index[authority]?.keys() ?? []) this.delete(authority, serialNumber);
  }

  #release(number: number): void {
    const slab = this.#slabs.get(number);
    if (slab === undefined) return;
    slab.live--;
    if (slab.live === 0 && number !== this.#current) this.#slabs.delete(number);
  }

  #slabFor(size: number): { readonly slab: Slab; readonly hasEvicted: boolean } {
    const current = this.#slabs.get(this.#current);
    if (current !== undefined && current.used + size <= this.#slabOctets) return { slab: current, hasEvicted: false };
    let hasEvicted = false;
    if (current?.live === 0) this.#slabs.delete(this.#current);
    while (this.#slabs.size > 0 && !this.hasRoom) {
      this.#evictOldest();
      hasEvicted = true;
    }
    this.#current++;
    const slab: Slab = { octets: Buffer.allocUnsafeSlow(this.#slabOctets), used: 0, live: 0 };
    this.#slabs.set(this.#current, slab);
    return { slab, hasEvicted };
  }

  #evictOldest(): void {
    for (const [number, { octets, used }] of this.#slabs) {
      for (let at = 0; at < used; ) {
        const serialEnd = at + headOctets + (octets[at + 26] ?? 0);
        const table = this.#tableOf(octets[at + 24] ?? 0);
        const serialNumber = octets.toString('hex', at + headOctets, serialEnd);
        if (table.get(serialNumber) === number * this.#slabOctets + at) {
          table.delete(serialNumber);
          this.#size--;
        }
        at = serialEnd + octets.readUInt32LE(at + 20);
      }
      this.#slabs.delete(number);
      return;
    }
  }

  #tableOf(authority: number): Map<string, number> {
    const table = this.#index[authority] ?? new Map<string, number>();
    this.#index[authority] = table;
    return table;
  }
}

function readEntry(octets: Buffer, at: number): HeldResponse {
  return {
    thisUpdate: octets.readDoubleLE(at),
    nextUpdate: octets.readDoubleLE(at + 8),
    responder: octets.readUInt32LE(at + 16),
    isDateCertain: octets[at + 25] === 1,
    record: octets,
    start: at + headOctets + (octets[at + 26] ?? 0),
    length: octets.readUInt32LE(at + 20),
  };
}
