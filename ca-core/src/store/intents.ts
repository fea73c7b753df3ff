// What the core was about to sign with a token: durable before the signature exists, so that a crash leaves word of it
// (CORE.md, Issuance, step 7).
// With a software key the certificate's own transaction is the intent, and nothing is written here.

import { compileInsert, compileQuery, slot } from './queries.ts';
import type { StoreReader } from './statements.ts';
import type { WriteOperation } from './write-set.ts';

/** A certificate that is about to be signed. */
export type Intent = {
  readonly serialNumber: string;
  /** SHA-256 of the TBSCertificate. */
  readonly tbsSha256: Uint8Array;
  readonly requestId: string;
  readonly createdAt: Date;
};

/** An intent without a result is an orphan after this time. */
export const orphanAgeMs = 60_000;

const insert = compileInsert('intents', ['serial_number', 'tbs_sha256', 'request_id', 'created_at']);

const remove = compileQuery((database) => database.deleteFrom('intents').where('serial_number', '=', slot<string>(0)));

const countOld = compileQuery((database) =>
  database
    .selectFrom('intents')
    .select((select) => select.fn.countAll<number>().as('orphans'))
    .where('created_at', '<', slot<number>(0)),
);

const selectOld = compileQuery((database) =>
  database
    .selectFrom('intents')
    .selectAll()
    .where('created_at', '<', slot<number>(0))
    .orderBy('created_at')
    .limit(slot<number>(1)),
);

/** Commit this before signing; the unique serial number is reserved by it. */
export function insertIntent(intent: Intent): WriteOperation {
  const { serialNumber, tbsSha256, requestId, createdAt } = intent;
  return { sql: insert.sql, parameters: [serialNumber, tbsSha256, requestId, createdAt.getTime()] };
}

/** Put this into the set that records the certificate: what has a result is no intent any more. */
export function fulfilIntent(serialNumber: string): WriteOperation {
  return { sql: remove.sql, parameters: [serialNumber] };
}

/**
 * How many intents have had no result for {@link orphanAgeMs}: a metric and an alert. Throws CoreError `unavailable`.
 */
export function countOrphanIntents(store: StoreReader, now: Date): number {
  return store.one(countOld, now.getTime() - orphanAgeMs)?.orphans ?? 0;
}

/** Those intents, oldest first. Throws CoreError `unavailable`. */
export function listOrphanIntents(store: StoreReader, now: Date, limit: number): readonly Intent[] {
  return store.all(selectOld, now.getTime() - orphanAgeMs, limit).map((row) => ({
    serialNumber: row.serial_number,
    tbsSha256: row.tbs_sha256,
    requestId: row.request_id,
    createdAt: new Date(row.created_at),
  }));
}
