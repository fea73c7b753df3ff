// The pre-signed responses of this gate: those that fit in memory, all of them on the disk. It takes what the keep sends and
// never lets go of something newer for something older (RFC 6960 §2.4: thisUpdate), but a revocation is never kept out.

import type { OcspHash } from '@gatehouse/pkix/ocsp/certificate-id';
import type { OcspResponder, SignedStatus, StatusChanges } from '@gatehouse/ra-client/status';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import type { HeldResponder, ResponseDisk, ResponseKey, ResponseRow, StoredPosition } from './response-disk.ts';
import type { HeldResponse, ResponseMemory } from './response-memory.ts';
import { pack, packedSize, saysRevoked, unpack } from './response-record.ts';

/** The parts of one response, ready to be put together. */
export type ResponseParts = {
  readonly responseData: Buffer;
  readonly signature: Buffer;
  readonly responder: HeldResponder;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly isDateCertain: boolean;
};

/** What {@link Responses} is made of. */
export type ResponsesOptions = {
  readonly memory: ResponseMemory;
  readonly disk: ResponseDisk;
  readonly clock: Clock;
  readonly log: Logger;
};

const serialNumberForm = /^(?:[0-9a-f]{2}){1,64}$/;
/** Clocks may differ by so much. */
const toleranceMs = 300_000;
/** Some milliseconds of work. */
const batchSize = 256;
const writeDelayMs = 50;
const retryDelayMs = 5_000;
/** What is not written yet is held in memory; with more than this the keep has to wait. */
const mostUnwritten = 100_000;

/** Takes and gives responses. */
export class Responses {
  readonly #options: ResponsesOptions;
  readonly #authorities: string[] = [];
  readonly #responders = new Map<number, HeldResponder>();
  readonly #respondersById = new Map<string, HeldResponder>();
  /** By `authority/serialNumber`: what is not on the disk yet. */
  #unwritten = new Map<string, ResponseRow>();
  #unwrittenResponders: HeldResponder[] = [];
  #unwrittenPosition: StoredPosition | undefined;
  #timer: NodeJS.Timeout | undefined;
  #diskFailure: string | undefined;
  /** Memory has everything that the disk has: what is not in it is not held at all. */
  #isWhole = false;
  #hasEvicted = false;
  #isClosed = false;

  constructor(options: ResponsesOptions) {
    this.#options = options;
    for (const responder of options.disk.responders()) this.#remember(responder);
  }

  /** Why the copy on the disk falls behind, if it does. */
  get diskFailure(): string | undefined {
    return this.#diskFailure;
  }

  /** The response for a certificate, current or not. */
  find(authority: string, serialNumber: string, hash: OcspHash): ResponseParts | undefined {
    const held = this.#find(authority, serialNumber);
    if (held === undefined) return undefined;
    const responder = this.#responders.get(held.responder);
    if (responder === undefined) return undefined;
    const { responseData, signature } = unpack(held.record, held.start, hash);
    const { thisUpdate, nextUpdate, isDateCertain } = held;
    return { responseData, signature, responder, thisUpdate, nextUpdate, isDateCertain };
  }

  /**
   * Takes what the keep sent.
   *
   * @param isInOrder whether it was signed after everything that came before; not while the keep begins from the start
   * @throws {Error} when so much could not be written to the disk that the keep has to wait
   */
  take(changes: Pick<StatusChanges, 'responders' | 'responses'>, isInOrder: boolean): void {
    if (this.#unwritten.size >= mostUnwritten) throw new Error(`the copy cannot be written: ${this.#diskFailure}`);
    for (const responder of changes.responders) {
      if (!this.#respondersById.has(responder.id.toString('hex'))) this.#addResponder(responder);
    }
    for (const response of changes.responses) this.#takeOne(response, isInOrder);
    if (this.#unwritten.size >= batchSize) this.flush();
    else this.#writeSoon(writeDelayMs);
  }

  /** Everything up to this position was taken; it becomes durable with the responses. */
  reach(position: StoredPosition): void {
    this.#unwrittenPosition = position;
    this.#writeSoon(writeDelayMs);
  }

  /** Writes what is not on the disk yet. What cannot be written stays, and is tried again. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#unwritten.size === 0 && this.#unwrittenPosition === undefined) return;
    const { disk, log } = this.#options;
    try {
      disk.write({
        responders: this.#unwrittenResponders,
        rows: this.#unwritten.values(),
        position: this.#unwrittenPosition,
      });
      this.#unwrittenResponders = [];
      this.#unwritten = new Map();
      this.#unwrittenPosition = undefined;
      if (this.#diskFailure !== undefined) log.info('the copy is written again');
      this.#diskFailure = undefined;
    } catch (error) {
      if (this.#diskFailure === undefined)
        log.error({ err: error }, 'the copy cannot be written; it will be tried again');
      this.#diskFailure = error instanceof Error ? error.message : String(error);
      this.#writeSoon(retryDelayMs);
    }
  }

  /** Fills the memory from the disk, page by page, other work in between. */
  async warmUp(): Promise<void> {
    const { disk, memory } = this.#options;
    let last: ResponseKey | undefined;
    for (;;) {
      if (this.#isClosed) return;
      const page = disk.page(last, batchSize);
      for (const row of page) {
        if (!memory.hasRoom) return;
        const authority = this.#number(row.authority);
        if (memory.find(authority, row.serialNumber) === undefined) memory.put(authority, row.serialNumber, row);
      }
      last = page.at(-1);
      if (page.length < batchSize) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isWhole = !this.#hasEvicted;
  }

  /** Forgets some of what ended before a time. @returns how many */
  removeEnded(before: number, limit: number): number {
    const removed = this.#options.disk.removeEnded(before, limit);
    for (const { authority, serialNumber } of removed) {
      const held = this.#options.memory.find(this.#number(authority), serialNumber);
      // What came in the meantime is only in memory yet.
      if (held !== undefined && held.nextUpdate < before) {
        this.#options.memory.delete(this.#number(authority), serialNumber);
      }
    }
    return removed.length;
  }

  /** Forgets everything of an authority: its key is another one now. */
  removeAuthority(authority: string): void {
    this.flush();
    for (const [key, row] of this.#unwritten) if (row.authority === authority) this.#unwritten.delete(key);
    this.#options.disk.removeAuthority(authority);
    this.#options.memory.clear(this.#number(authority));
  }

  close(): void {
    this.#isClosed = true;
    this.flush();
    clearTimeout(this.#timer);
  }

  #find(authority: string, serialNumber: string): HeldResponse | undefined {
    const { memory, disk } = this.#options;
    const number = this.#number(authority);
    const held = memory.find(number, serialNumber);
    if (held !== undefined || this.#isWhole) return held;
    const unwritten = this.#unwritten.get(`${authority}/${serialNumber}`);
    if (unwritten !== undefined) return unwritten;
    const row = disk.find(authority, serialNumber);
    if (row !== undefined) this.#hold(number, serialNumber, row);
    return row;
  }

  #takeOne(response: SignedStatus, isInOrder: boolean): void {
    const { authority, serialNumber } = response;
    const responder = this.#respondersById.get(Buffer.from(response.responderId).toString('hex'));
    if (responder === undefined || !serialNumberForm.test(serialNumber)) {
      this.#options.log.error({ authority, serialNumber }, 'a response that names no known responder was passed over');
      return;
    }
    const before = this.#find(authority, serialNumber);
    if (before !== undefined && !this.#isNewer(response, before, isInOrder)) return;
    const record = Buffer.allocUnsafe(packedSize(response));
    pack(response, record);
    if (before !== undefined && isSame(before, record)) return;
    const thisUpdate = response.thisUpdate.getTime();
    const row: ResponseRow = {
      authority,
      serialNumber,
      responder: responder.number,
      thisUpdate,
      nextUpdate: response.nextUpdate.getTime(),
      isDateCertain: before === undefined || toSeconds(thisUpdate) > toSeconds(before.thisUpdate),
      record,
      start: 0,
      length: record.length,
    };
    this.#unwritten.set(`${authority}/${serialNumber}`, row);
    this.#hold(this.#number(authority), serialNumber, row);
  }

  /** Whether a response takes the place of the one that is held. */
  #isNewer(response: SignedStatus, before: HeldResponse, isInOrder: boolean): boolean {
    const thisUpdate = response.thisUpdate.getTime();
    // The keep's clock may have been set right by a little between two responses that it signed one after the other.
    const leastThisUpdate = isInOrder ? before.thisUpdate - toleranceMs : before.thisUpdate;
    if (thisUpdate >= leastThisUpdate) return true;
    // Signed by a clock that was wrong: nobody accepts it before its time, and its time may be far away.
    if (before.thisUpdate > this.#options.clock.now().getTime() + toleranceMs) return true;
    const held = unpack(before.record, before.start, 'sha256').responseData;
    return saysRevoked(response.sha256.responseData) && !saysRevoked(held);
  }

  #hold(authority: number, serialNumber: string, response: HeldResponse): void {
    if (this.#options.memory.put(authority, serialNumber, response)) return;
    this.#hasEvicted = true;
    this.#isWhole = false;
  }

  #writeSoon(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer ??= setTimeout(() => this.flush(), delayMs);
  }

  #addResponder({ id, certificate, signatureAlgorithm }: OcspResponder): void {
    const responder: HeldResponder = {
      number: Math.max(0, ...this.#responders.keys()) + 1,
      id: id.toString('hex'),
      certificates: [certificate],
      signatureAlgorithm,
    };
    this.#remember(responder);
    this.#unwrittenResponders.push(responder);
  }

  #remember(responder: HeldResponder): void {
    this.#responders.set(responder.number, responder);
    this.#respondersById.set(responder.id, responder);
  }

  #number(authority: string): number {
    const known = this.#authorities.indexOf(authority);
    return known >= 0 ? known : this.#authorities.push(authority) - 1;
  }
}

function isSame(held: HeldResponse, record: Buffer): boolean {
  return record.equals(held.record.subarray(held.start, held.start + held.length));
}

function toSeconds(time: number): number {
  return Math.floor(time / 1000);
}
