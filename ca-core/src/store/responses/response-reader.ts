// The log of pre-signed responses as the core's own thread reads it, to pass it on: in the order of positions, through a
// connection that can change nothing.

import { openSqlite } from '@gatehouse/runtime/database/sqlite';
import type { Selectable } from 'kysely';
import { slot } from '../queries.ts';
import { createStatements } from '../statements.ts';
import { compileQuery, type ResponderTable, type ResponseDatabase, type ResponseTable } from './database.ts';

/** A response as stored. */
export type StoredResponse = Omit<Selectable<ResponseTable>, 'due'>;

/** A responder as stored. */
export type StoredResponder = Selectable<ResponderTable>;

/** Reads what is committed; all of it throws CoreError `unavailable`. */
export type ResponseReader = {
  readonly epoch: string;
  /** Last position that was taken. */
  position(): number;
  /** Responses behind a position, in their order. */
  listAfter(position: number, limit: number): readonly StoredResponse[];
  findResponder(number: number): StoredResponder | undefined;
  /** CRLs that certificates name, and when the last such certificate ends. */
  scopes(): ReadonlyMap<string, number>;
  /** When the response that is to be signed again first was signed, epoch milliseconds. */
  oldestThisUpdate(): number | undefined;
  close(): Promise<void>;
};

const selectEpoch = compileQuery((database) => database.selectFrom('progress').select('epoch'));

const selectPosition = compileQuery((database) => database.selectFrom('progress').select('position'));

const selectAfter = compileQuery((database) =>
  database
    .selectFrom('responses')
    .select(['position', 'authority', 'serial_number', 'responder', 'this_update', 'next_update'])
    .select(['data_sha1', 'signature_sha1', 'data_sha256', 'signature_sha256'])
    .where('position', '>', slot<number>(0))
    .orderBy('position')
    .limit(slot<number>(1)),
);

const selectResponder = compileQuery((database) =>
  database.selectFrom('responders').selectAll().where('number', '=', slot<number>(0)),
);

const selectScopes = compileQuery((database) => database.selectFrom('scopes').selectAll());

const selectOldest = compileQuery((database) =>
  database.selectFrom('responses').select('this_update').orderBy('due').limit(slot<number>(0)),
);

/** Opens the database that the status thread has made. Throws FatalError. */
export function openResponseReader(file: string): ResponseReader {
  const database = openSqlite<ResponseDatabase>({ file, readOnly: true });
  const statements = createStatements(database.raw);
  const epoch = statements.one(selectEpoch)?.epoch;
  if (epoch === undefined) throw new Error(`${file} has no epoch`);
  return {
    epoch,
    position: () => statements.one(selectPosition)?.position ?? 0,
    listAfter: (position, limit) => statements.all(selectAfter, position, limit),
    findResponder: (number) => statements.one(selectResponder, number),
    scopes: () => new Map(statements.all(selectScopes).map((row) => [row.scope, row.not_after])),
    oldestThisUpdate: () => statements.one(selectOldest, 1)?.this_update,
    close: () => database.close(),
  };
}
