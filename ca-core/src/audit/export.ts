// The audit log as JSON lines, oldest first, as it is chained: for archives and for other people's tools.
// Every field is written as it is stored, so that whoever has the key can compute each MAC again.

import { canonicalJson } from '@gatehouse/pkix/jose/canonical-json';
import { listAuditInstances, readAuditRecords } from '../store/audit-events.ts';
import type { StoreReader } from '../store/statements.ts';
import type { AuditRecord } from './event.ts';

const pageSize = 256;

/** All records, chain by chain, each in its order. Throws CoreError `unavailable`. */
export async function* readAllAuditRecords(store: StoreReader): AsyncGenerator<AuditRecord, void, void> {
  for (const instance of listAuditInstances(store)) {
    let page = readAuditRecords(store, instance, 0, pageSize);
    for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
      yield* page;
      await new Promise((resolve) => setImmediate(resolve));
      page = readAuditRecords(store, instance, last.sequence, pageSize);
    }
  }
}

/** A record as one line of JSON, without its end; `mac` is hexadecimal and `at` epoch milliseconds. */
export function formatAuditRecord(record: AuditRecord): string {
  const { mac } = record;
  return canonicalJson({ ...record, mac: Buffer.from(mac.buffer, mac.byteOffset, mac.byteLength).toString('hex') });
}

/** The whole log, line by line. Throws CoreError `unavailable`. */
export async function* exportAudit(store: StoreReader): AsyncGenerator<string, void, void> {
  for await (const record of readAllAuditRecords(store)) yield `${formatAuditRecord(record)}\n`;
}
