// Where audit records and the heads of their chains live in the database.
// Records are only ever inserted; the head of a chain is written in the transaction of its last record.

import type { AuditHead } from '../audit/chain.ts';
import type { AuditRecord } from '../audit/event.ts';
import type { AuditEventTable } from './database.ts';
import { compileInsert, compileQuery, slot } from './queries.ts';
import type { StoreReader } from './statements.ts';
import type { WriteOperation } from './write-set.ts';

/** A head as stored. */
export type StoredHead = AuditHead & { readonly authenticator: Uint8Array };

const insertEvent = compileInsert('audit_events', [
  'instance',
  'sequence',
  'at',
  'actor',
  'action',
  'registration_authority',
  'requester',
  'profile',
  'serial_number',
  'outcome',
  'body',
  'mac',
]);

const upsertHead = compileQuery((database) =>
  database
    .insertInto('audit_heads')
    .values({ instance: slot(0), sequence: slot(1), mac: slot(2), authenticator: slot(3) })
    .onConflict((conflict) =>
      conflict.column('instance').doUpdateSet((row) => ({
        sequence: row.ref('excluded.sequence'),
        mac: row.ref('excluded.mac'),
        authenticator: row.ref('excluded.authenticator'),
      })),
    ),
);

const selectHead = compileQuery((database) =>
  database.selectFrom('audit_heads').selectAll().where('instance', '=', slot<string>(0)),
);

const selectHeads = compileQuery((database) =>
  database.selectFrom('audit_heads').selectAll().orderBy('instance').limit(slot<number>(0)),
);

const selectEventsAfter = compileQuery((database) =>
  database
    .selectFrom('audit_events')
    .selectAll()
    .where('instance', '=', slot<string>(0))
    .where('sequence', '>', slot<number>(1))
    .orderBy('sequence')
    .limit(slot<number>(2)),
);

const selectLastEvent = compileQuery((database) =>
  database
    .selectFrom('audit_events')
    .select('sequence')
    .where('instance', '=', slot<string>(0))
    .orderBy('sequence', 'desc')
    .limit(slot<number>(1)),
);

const selectNextInstance = compileQuery((database) =>
  database
    .selectFrom('audit_events')
    .select('instance')
    .where('instance', '>', slot<string>(0))
    .orderBy('instance')
    .limit(slot<number>(1)),
);

/** Appends one record. */
export function insertAuditRecord(record: AuditRecord): WriteOperation {
  return {
    sql: insertEvent.sql,
    parameters: [
      record.instance,
      record.sequence,
      record.at,
      record.actor,
      record.action,
      record.registrationAuthority,
      record.requester,
      record.profile,
      record.serialNumber,
      record.outcome,
      record.body,
      record.mac,
    ],
  };
}

/** Moves the head of a chain. */
export function writeAuditHead(head: StoredHead): WriteOperation {
  return { sql: upsertHead.sql, parameters: [head.instance, head.sequence, head.mac, head.authenticator] };
}

/** The head of one chain, or nothing before its first record. */
export function findAuditHead(store: StoreReader, instance: string): StoredHead | undefined {
  return store.one(selectHead, instance);
}

/** The heads of all chains, at most `limit`. */
export function listAuditHeads(store: StoreReader, limit: number): readonly StoredHead[] {
  return store.all(selectHeads, limit);
}

/** Records of one chain after a sequence number, in their order. */
export function readAuditRecords(
  store: StoreReader,
  instance: string,
  afterSequence: number,
  limit: number,
): readonly AuditRecord[] {
  return store.all(selectEventsAfter, instance, afterSequence, limit).map(toAuditRecord);
}

/** Sequence number of the last record of a chain; 0 when there is none. */
export function lastAuditSequence(store: StoreReader, instance: string): number {
  return store.one(selectLastEvent, instance, 1)?.sequence ?? 0;
}

/** Instances that have records, also those that have no head, in order. */
export function listAuditInstances(store: StoreReader): readonly string[] {
  const instances: string[] = [];
  let next = store.one(selectNextInstance, '', 1);
  while (next !== undefined) {
    instances.push(next.instance);
    next = store.one(selectNextInstance, next.instance, 1);
  }
  return instances;
}

/** The record in a row. */
export function toAuditRecord(row: AuditEventTable): AuditRecord {
  return {
    instance: row.instance,
    sequence: row.sequence,
    at: row.at,
    actor: row.actor,
    action: row.action,
    registrationAuthority: row.registration_authority,
    requester: row.requester,
    profile: row.profile,
    serialNumber: row.serial_number,
    outcome: row.outcome,
    body: row.body,
    mac: row.mac,
  };
}
