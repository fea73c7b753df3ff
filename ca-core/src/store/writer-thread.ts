// The thread that waits for the disk, so that the core's own thread can verify and sign the next requests meanwhile.
// It has a connection of its own and writes what it is given, one group after the other; it decides nothing.

import type { KeyObject } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { openSqlite } from '@gatehouse/runtime/database/sqlite';
import { type AuditKeys, createAuditChainFromKeys } from '../audit/chain.ts';
import type { Database } from './database.ts';
import { type Group, type GroupWriterParts, type PlainOperation, writeGroup } from './group-writer.ts';
import { createStatements } from './statements.ts';
import type { SqlValue } from './write-set.ts';

/** What the thread is started with. */
export type WriterThreadData = {
  readonly file: string;
  readonly instance: string;
  readonly keys: { readonly [name in keyof AuditKeys]: KeyObject };
};

/** A group as it travels: the text of a statement goes only once, later its number stands for it. */
export type GroupMessage = {
  readonly newTexts: readonly string[];
  readonly sets: readonly {
    readonly operations: readonly (readonly [
      text: number,
      parameters: readonly SqlValue[],
      rows: number | undefined,
    ])[];
    readonly events: Group['sets'][number]['events'];
  }[];
  readonly at: Date;
};

// Measured with groups of 64: with these two an enrollment costs 67 µs of processor time instead of 92, because a page
// of an
// index on random values is written back once for many enrollments, and is not read again for each.
const checkpointPages = 8_000;
const cacheKibibytes = 16_000;

function start(port: NonNullable<typeof parentPort>, data: WriterThreadData): void {
  const database = openSqlite<Database>({ file: data.file });
  database.raw.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}; PRAGMA cache_size = -${cacheKibibytes}`);
  const parts: GroupWriterParts = {
    transact: database.transact,
    statements: createStatements(database.raw),
    audit: createAuditChainFromKeys(data.keys),
    instance: data.instance,
  };
  const texts: string[] = [];
  port.on('message', async (message: GroupMessage | 'checkpoint' | 'close') => {
    if (message === 'close') {
      await database.close();
      port.close();
      return;
    }
    if (message === 'checkpoint') {
      checkpoint(database.raw);
      return;
    }
    texts.push(...message.newTexts);
    const sets = message.sets.map(({ operations, events }) => ({
      operations: operations.map(([text, parameters, rows]): PlainOperation => [texts[text] ?? '', parameters, rows]),
      events,
    }));
    port.postMessage(await writeGroup(parts, { sets, at: message.at }));
  });
  port.postMessage('ready');
}

/** Writes the log back. Passive: nobody waits for it. */
function checkpoint(raw: DatabaseSync): void {
  try {
    raw.exec('PRAGMA wal_checkpoint(PASSIVE)');
  } catch {
    // The log stays as it is, which loses nothing; what is wrong with the disk shows with the next group.
  }
}

if (parentPort !== null) start(parentPort, workerData);
