// Pre-signed responses on the disk: rows in the form in which they are held in memory. Written in batches together with the
// position up to which they are complete; a row is never replaced by one that was not judged to be newer before.

import type { DatabaseSync } from 'node:sqlite';
import { type StatusDatabase, transact } from './database.ts';
import type { HeldResponse } from './response-memory.ts';

/** A response with what it is about. */
export type ResponseRow = HeldResponse & { readonly authority: string; readonly serialNumber: string };

/** A responder as responses name it. */
export type HeldResponder = {
  readonly number: number;
  /** SHA-256 of the certificate, hexadecimal. */
  readonly id: string;
  /** DER; its own alone, as responses carry them. */
  readonly certificates: readonly Uint8Array[];
  /** AlgorithmIdentifier, DER. */
  readonly signatureAlgorithm: Uint8Array;
};

/** Up to where the copy is complete. */
export type StoredPosition = { readonly epoch: string; readonly position: number };

/** The table of responses, and the responders that they name. */
export type ResponseDisk = {
  find(authority: string, serialNumber: string): HeldResponse | undefined;
  /** Rows in the order of their keys, behind a key. */
  page(after: ResponseKey | undefined, limit: number): readonly ResponseRow[];
  /** Writes a batch, all or nothing. @throws {Error} when the disk fails */
  write(batch: ResponseBatch): void;
  /** Removes some of those that ended before a time. @returns what was removed */
  removeEnded(before: number, limit: number): readonly ResponseKey[];
  removeAuthority(authority: string): void;
  count(): number;
  /** How many ended in a time, both ends included. */
  countEnded(from: number, to: number): number;
  /** The end that comes first, epoch milliseconds. */
  firstEnd(): number | undefined;
  responders(): readonly HeldResponder[];
  /** Where {@link write} has got. */
  position(): StoredPosition;
};

/** What is written at once. */
export type ResponseBatch = {
  /** New ones, which the rows may name. */
  readonly responders: Iterable<HeldResponder>;
  readonly rows: Iterable<ResponseRow>;
  /** Up to where the copy is complete with them, where it is. */
  readonly position: StoredPosition | undefined;
};

/** What names a response. */
export type ResponseKey = { readonly authority: string; readonly serialNumber: string };

const nothing = new Uint8Array(0);
const columns = 'authority, serial_number, responder, this_update, next_update, is_date_certain, record';

/** Opens the tables. */
export function openResponseDisk(database: StatusDatabase): ResponseDisk {
  const { raw } = database;
  const statements = prepare(raw);
  return {
    find: (authority, serialNumber) => {
      const row = statements.find.get(authority, serialNumber);
      return row === undefined ? undefined : toResponse(row);
    },
    page: (after, limit) =>
      statements.page.all(after?.authority ?? '', after?.serialNumber ?? '', limit).map(toResponse),
    write: ({ responders, rows, position }) =>
      transact(database, () => {
        for (const { number, id, certificates, signatureAlgorithm } of responders) {
          statements.addResponder.run(number, id, certificates[0] ?? nothing, signatureAlgorithm);
        }
        for (const row of rows) {
          statements.write.run(
            row.authority,
            row.serialNumber,
            row.responder,
            row.thisUpdate,
            row.nextUpdate,
            row.isDateCertain ? 1 : 0,
            row.record.subarray(row.start, row.start + row.length),
          );
        }
        if (position === undefined) return;
        statements.setMeta.run('epoch', position.epoch);
        statements.setMeta.run('position', String(position.position));
      }),
    removeEnded: (before, limit) => statements.removeEnded.all(before, limit).map(toKey),
    removeAuthority: (authority) => void statements.removeAuthority.run(authority),
    count: () => Number(statements.count.get()?.count ?? 0),
    countEnded: (from, to) => Number(statements.countEnded.get(from, to)?.count ?? 0),
    firstEnd: () => {
      const first = statements.firstEnd.get()?.first;
      return typeof first === 'number' ? first : undefined;
    },
    responders: () => statements.responders.all().map(toResponder),
    position: () => ({
      epoch: String(statements.meta.get('epoch')?.value ?? ''),
      position: Number(statements.meta.get('position')?.value ?? 0),
    }),
  };
}

function prepare(raw: DatabaseSync) {
  return {
    find: raw.prepare(`select ${columns} from responses where authority = ? and serial_number = ?`),
    page: raw.prepare(
      `select ${columns} from responses where (authority, serial_number) > (?, ?)
       order by authority, serial_number limit ?`,
    ),
    write: raw.prepare(
      `insert into responses (${columns}) values (?, ?, ?, ?, ?, ?, ?)
       on conflict (authority, serial_number) do update set responder = excluded.responder,
         this_update = excluded.this_update, next_update = excluded.next_update,
         is_date_certain = excluded.is_date_certain, record = excluded.record`,
    ),
    removeEnded: raw.prepare(
      `delete from responses where rowid in (select rowid from responses where next_update < ? limit ?)
       returning authority, serial_number`,
    ),
    removeAuthority: raw.prepare('delete from responses where authority = ?'),
    count: raw.prepare('select count(*) as count from responses'),
    countEnded: raw.prepare('select count(*) as count from responses where next_update between ? and ?'),
    firstEnd: raw.prepare('select min(next_update) as first from responses'),
    responders: raw.prepare('select number, id, certificate, signature_algorithm from responders'),
    addResponder: raw.prepare(
      'insert into responders (number, id, certificate, signature_algorithm) values (?, ?, ?, ?)',
    ),
    meta: raw.prepare('select value from meta where key = ?'),
    setMeta: raw.prepare('insert or replace into meta (key, value) values (?, ?)'),
  };
}

type Row = Readonly<Record<string, unknown>>;

function toResponse(row: Row): ResponseRow {
  const record = octetsOf(row.record);
  return {
    ...toKey(row),
    responder: Number(row.responder),
    thisUpdate: Number(row.this_update),
    nextUpdate: Number(row.next_update),
    isDateCertain: row.is_date_certain === 1,
    record,
    start: 0,
    length: record.length,
  };
}

function toKey(row: Row): ResponseKey {
  return { authority: String(row.authority), serialNumber: String(row.serial_number) };
}

function toResponder(row: Row): HeldResponder {
  return {
    number: Number(row.number),
    id: String(row.id),
    certificates: [octetsOf(row.certificate)],
    signatureAlgorithm: octetsOf(row.signature_algorithm),
  };
}

/** A column of octets, without a copy. */
export function octetsOf(value: unknown): Buffer {
  if (!(value instanceof Uint8Array)) throw new TypeError('a column of the copy has no octets');
  return Buffer.from(value.buffer, value.byteOffset, value.length);
}
