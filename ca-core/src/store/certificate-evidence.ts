// The proof that was verified before a certificate was signed, by its serial number. It is written in the transaction of the
// certificate and never changed; it is deleted when its time is over, and not before (BR §5.4.3).

import { compileInsert, compileQuery, slot } from './queries.ts';
import type { StoreReader } from './statements.ts';
import type { WriteOperation } from './write-set.ts';

/** Evidence as it is stored. */
export type StoredEvidence = {
  readonly serialNumber: string;
  /** RecordedEvidence in protobuf, without the keys, as a Zstandard frame (RFC 8878). */
  readonly evidence: Uint8Array;
  readonly recordedAt: Date;
  readonly keptUntil: Date;
};

const insert = compileInsert('certificate_evidence', ['serial_number', 'evidence', 'recorded_at', 'kept_until']);

const select = compileQuery((database) =>
  database.selectFrom('certificate_evidence').selectAll().where('serial_number', '=', slot<string>(0)),
);

const selectOver = compileQuery((database) =>
  database
    .selectFrom('certificate_evidence')
    .select('serial_number')
    .where('kept_until', '<', slot<number>(0))
    .orderBy('kept_until')
    .limit(slot<number>(1)),
);

const remove = compileQuery((database) =>
  database.deleteFrom('certificate_evidence').where('serial_number', '=', slot<string>(0)),
);

/** Records evidence; its certificate is in the same set. */
export function insertEvidence({ serialNumber, evidence, recordedAt, keptUntil }: StoredEvidence): WriteOperation {
  return { sql: insert.sql, parameters: [serialNumber, evidence, recordedAt.getTime(), keptUntil.getTime()] };
}

/** The evidence of a certificate. Throws CoreError `unavailable`. */
export function findEvidence(store: StoreReader, serialNumber: string): StoredEvidence | undefined {
  const row = store.one(select, serialNumber);
  if (row === undefined) return undefined;
  return {
    serialNumber: row.serial_number,
    evidence: row.evidence,
    recordedAt: new Date(row.recorded_at),
    keptUntil: new Date(row.kept_until),
  };
}

/** Serial numbers whose evidence was to be kept until a time before `now`, the oldest first. Throws CoreError `unavailable`. */
export function listOverdueEvidence(store: StoreReader, now: Date, limit: number): readonly string[] {
  return store.all(selectOver, now.getTime(), limit).map((row) => row.serial_number);
}

/** Deletes the evidence of a certificate. */
export function deleteEvidence(serialNumber: string): WriteOperation {
  return { sql: remove.sql, parameters: [serialNumber] };
}
