// The database of pre-signed OCSP responses, ocsp.db: a cache beside core.db that can be lost. It is then signed anew under
// another epoch, and nobody is told a position twice. It must never hold anything that cannot be made again, because
// the last commits may be gone when the power goes.

import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { openSqlite, type SqliteDatabaseHandle, toDatabaseError } from '@gatehouse/runtime/database/sqlite';
import { FatalError } from '@gatehouse/runtime/fatal';
import { createQueryCompiler } from '../queries.ts';

/** Tables of ocsp.db by name. Times are epoch milliseconds, UTC. */
export type ResponseDatabase = {
  responses: ResponseTable;
  responders: ResponderTable;
  scopes: ScopeTable;
  progress: ProgressTable;
};

/** The newest response for each certificate. A new one takes a new place: the table is a compacted log. */
export type ResponseTable = {
  /** Strictly increasing in the order of signing. */
  position: number;
  authority: string;
  /** Lower-case hexadecimal. */
  serial_number: string;
  /** Number of the responder. */
  responder: number;
  this_update: number;
  next_update: number;
  /** When it is to be signed anew. */
  due: number;
  /** ResponseData, DER, and the signature over it, for CertIDs with SHA-1 and with SHA-256. */
  data_sha1: Uint8Array;
  signature_sha1: Uint8Array;
  data_sha256: Uint8Array;
  signature_sha256: Uint8Array;
};

/** Who signed. */
export type ResponderTable = {
  number: number;
  /** SHA-256 of the certificate. */
  id: Uint8Array;
  /** DER. */
  certificate: Uint8Array;
  /** AlgorithmIdentifier, DER. */
  signature_algorithm: Uint8Array;
  not_after: number;
};

/** CRLs that certificates name, and when the last such certificate ends. */
export type ScopeTable = { scope: string; not_after: number };

/** How far core.db was read; the one row. Serial numbers tell whether it is still the same core.db. */
export type ProgressTable = {
  id: number;
  epoch: string;
  /** Last position that was taken for a response. */
  position: number;
  certificate_position: number;
  certificate_serial_number: string;
  change_position: number;
  change_serial_number: string;
  /** The time by which responses of expired certificates were last removed. */
  removed_at: number;
};

/** Compiles queries of ocsp.db. */
export const { compileQuery, compileInsert } = createQueryCompiler<ResponseDatabase>();

/** Another form of the tables is not brought forward but made anew. */
const version = 1;

const schema = `
  create table responses (
    position integer primary key,
    authority text not null,
    serial_number text not null,
    responder integer not null,
    this_update integer not null,
    next_update integer not null,
    due integer not null,
    data_sha1 blob not null,
    signature_sha1 blob not null,
    data_sha256 blob not null,
    signature_sha256 blob not null,
    unique (authority, serial_number)
  ) strict;
  create index responses_due on responses (due);
  create table responders (
    number integer primary key,
    id blob not null unique,
    certificate blob not null,
    signature_algorithm blob not null,
    not_after integer not null
  ) strict;
  create table scopes (scope text primary key not null, not_after integer not null) strict, without rowid;
  create table progress (
    id integer primary key,
    epoch text not null,
    position integer not null,
    certificate_position integer not null,
    certificate_serial_number text not null,
    change_position integer not null,
    change_serial_number text not null,
    removed_at integer not null
  ) strict;
  pragma user_version = ${version};
`;

/** A batch is written every few milliseconds while much is to be signed: some 16 MB between two checkpoints. */
const checkpointPages = 4_000;

/**
 * Opens the database for its one writer, creating it if it is missing, damaged or of another form.
 *
 * @param onDiscarded is told why what was there had to go
 * @throws {FatalError} when it can neither be opened nor made
 */
export function openResponseDatabase(
  file: string,
  onDiscarded: (reason: string) => void,
): SqliteDatabaseHandle<ResponseDatabase> {
  try {
    return open(file);
  } catch (error) {
    const reason = discardable(error);
    if (reason === undefined) throw error;
    onDiscarded(reason);
    discardResponseDatabase(file);
    return open(file);
  }
}

/** Removes the database; a new one begins another epoch. */
export function discardResponseDatabase(file: string): void {
  for (const ending of ['', '-wal', '-shm']) rmSync(file + ending, { force: true });
}

class OtherForm extends Error {}

function open(file: string): SqliteDatabaseHandle<ResponseDatabase> {
  const isNew = !existsSync(file);
  const database = openSqlite<ResponseDatabase>({ file });
  try {
    // NORMAL: no wait for the disk at each commit. What is lost with the power is signed again.
    database.raw.exec(`PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${checkpointPages}`);
    if (isNew || isEmpty(database.raw)) create(database.raw);
    const found = database.raw.prepare('PRAGMA user_version').get()?.user_version;
    if (found !== version) throw new OtherForm(`its form is ${String(found)} and not ${version}`);
    return database;
  } catch (error) {
    database.raw.close();
    throw error;
  }
}

function isEmpty(raw: DatabaseSync): boolean {
  return raw.prepare('select 1 from sqlite_schema limit 1').get() === undefined;
}

function create(raw: DatabaseSync): void {
  raw.exec('BEGIN IMMEDIATE');
  raw.exec(schema);
  raw.prepare(`insert into progress values (1, ?, 0, 0, '', 0, '', 0)`).run(randomBytes(16).toString('hex'));
  raw.exec('COMMIT');
}

function discardable(error: unknown): string | undefined {
  if (error instanceof OtherForm) return error.message;
  const { code, message } = toDatabaseError(error instanceof FatalError ? error.cause : error);
  return code === 'corrupt' || (code === 'other' && /no such (table|column)/.test(message)) ? message : undefined;
}
