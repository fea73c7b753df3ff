// The copy on the disk of what the keep signed, so that a gate that starts without the keep serves at once. It is a copy:
// one that is damaged or of a newer form is thrown away, and everything is asked for again.

import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Migration, migrate } from '@gatehouse/runtime/database/migrate';
import { DatabaseError, openSqlite, type SqliteDatabaseHandle } from '@gatehouse/runtime/database/sqlite';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { Logger } from '@gatehouse/runtime/log';
import { sql } from 'kysely';

/** The open copy; it is used through its raw connection alone. */
export type StatusDatabase = SqliteDatabaseHandle<unknown>;

const withoutRowid = sql`strict, without rowid`;

const initial: Migration = {
  up: async (database) => {
    const { schema } = database;
    await schema
      .createTable('meta')
      .addColumn('key', 'text', (column) => column.primaryKey().notNull())
      .addColumn('value', 'text', (column) => column.notNull())
      .modifyEnd(withoutRowid)
      .execute();
    await schema
      .createTable('issuers')
      .addColumn('name', 'text', (column) => column.primaryKey().notNull())
      .addColumn('rank', 'integer', (column) => column.notNull())
      .addColumn('certificate', 'blob', (column) => column.notNull())
      .addColumn('has_ocsp', 'integer', (column) => column.notNull())
      .addColumn('answers_nonce', 'integer', (column) => column.notNull())
      .modifyEnd(withoutRowid)
      .execute();
    await schema
      .createTable('scopes')
      .addColumn('name', 'text', (column) => column.primaryKey().notNull())
      .addColumn('authority', 'text', (column) => column.notNull())
      .addColumn('has_delta', 'integer', (column) => column.notNull())
      .modifyEnd(withoutRowid)
      .execute();
    await schema
      .createTable('responders')
      .addColumn('number', 'integer', (column) => column.primaryKey())
      .addColumn('id', 'text', (column) => column.notNull().unique())
      .addColumn('certificate', 'blob', (column) => column.notNull())
      .addColumn('signature_algorithm', 'blob', (column) => column.notNull())
      .modifyEnd(sql`strict`)
      .execute();
    await schema
      .createTable('responses')
      .addColumn('authority', 'text', (column) => column.notNull())
      .addColumn('serial_number', 'text', (column) => column.notNull())
      .addColumn('responder', 'integer', (column) => column.notNull())
      .addColumn('this_update', 'integer', (column) => column.notNull())
      .addColumn('next_update', 'integer', (column) => column.notNull())
      .addColumn('is_date_certain', 'integer', (column) => column.notNull())
      .addColumn('record', 'blob', (column) => column.notNull())
      // The rows stand in the order in which they came, and only their keys in a tree: serial numbers are random, and a
      // tree with the records in it would be rewritten all over by each batch.
      .addUniqueConstraint('responses_key', ['authority', 'serial_number'])
      .modifyEnd(sql`strict`)
      .execute();
    await schema.createIndex('responses_next_update').on('responses').column('next_update').execute();
    await schema
      .createTable('crls')
      .addColumn('scope', 'text', (column) => column.notNull())
      .addColumn('is_delta', 'integer', (column) => column.notNull())
      .addColumn('authority', 'text', (column) => column.notNull())
      .addColumn('crl_number', 'integer', (column) => column.notNull())
      .addColumn('base_crl_number', 'integer')
      .addColumn('this_update', 'integer', (column) => column.notNull())
      .addColumn('next_update', 'integer', (column) => column.notNull())
      .addColumn('is_date_certain', 'integer', (column) => column.notNull())
      .addColumn('entries', 'integer', (column) => column.notNull())
      .addColumn('size', 'integer', (column) => column.notNull())
      .addColumn('sha256', 'blob', (column) => column.notNull())
      .addPrimaryKeyConstraint('crls_key', ['scope', 'is_delta'])
      .modifyEnd(withoutRowid)
      .execute();
  },
};

/**
 * Opens the copy, or begins a new one in place of one that is damaged or was made by a newer version.
 *
 * @throws {FatalError} when there can be no file there, or another process holds it
 */
export async function openStatusDatabase(file: string, log: Logger): Promise<StatusDatabase> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    return await open(file);
  } catch (error) {
    if (!(error instanceof UselessCopyError)) throw error;
    log.warn({ err: error.cause, file }, 'the copy cannot be used; a new one is begun');
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
    return await open(file);
  }
}

/** A copy that is there and can be read, but not used. */
class UselessCopyError extends Error {
  override readonly name = 'UselessCopyError';
}

async function open(file: string): Promise<StatusDatabase> {
  let database: StatusDatabase | undefined;
  try {
    database = openSqlite<unknown>({ file });
    await migrate(database.kysely, { '0001-initial': initial });
  } catch (cause) {
    await database?.close();
    const isNewer = database !== undefined && cause instanceof FatalError;
    throw isNewer || isCorrupt(cause) ? new UselessCopyError('the copy cannot be used', { cause }) : cause;
  }
  // The keep sends again what a power cut has taken.
  database.raw.exec('PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4000');
  return database;
}

function isCorrupt(error: unknown): boolean {
  const cause = error instanceof FatalError ? error.cause : error;
  return cause instanceof DatabaseError && cause.code === 'corrupt';
}

/** Runs work in one transaction; `raw` must not be in one. */
export function transact<T>({ raw }: StatusDatabase, work: () => T): T {
  raw.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    raw.exec('COMMIT');
    return result;
  } catch (error) {
    if (raw.isTransaction) raw.exec('ROLLBACK');
    throw error;
  }
}
