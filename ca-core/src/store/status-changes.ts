// What happened to the status of certificates, in the order in which it was committed: CRLs and OCSP follow from it.
// A row belongs into the set that changes the status, behind the operation that may undo the set: so a position stands for
// a change that happened.

import { type SqlBool, sql } from 'kysely';
import type { RevocationState, StatusChangeTable } from './database.ts';
import { compileQuery, slot } from './queries.ts';
import type { StoreReader } from './statements.ts';
import type { WriteOperation } from './write-set.ts';

/** What a certificate has become. */
export type StatusChangeState = RevocationState | 'released';

/** A change of a certificate that is on record. */
export type NewStatusChange = {
  readonly serialNumber: string;
  readonly state: StatusChangeState;
  readonly at: Date;
};

/** A change as recorded, with what CRLs need to know of its certificate. */
export type StoredStatusChange = NewStatusChange & {
  /** Strictly increasing in the order of commits, never taken twice. */
  readonly position: number;
  readonly authority: string;
  readonly crlScope: string;
  readonly notAfter: Date;
};

// Copied by the database itself: what stands here cannot differ from the certificate.
const insert = compileQuery<never>((database) =>
  database
    .insertInto('status_changes')
    .columns(['state', 'at', 'serial_number', 'authority', 'crl_scope', 'not_after'])
    .expression((expression) =>
      expression
        .selectFrom('certificates')
        .select([sql<string>`${slot<string>(0)}`.as('state'), sql<number>`${slot<number>(1)}`.as('at')])
        .select(['serial_number', 'authority', 'crl_scope', 'not_after'])
        .where('serial_number', '=', slot<string>(2)),
    ),
);

const selectAfter = compileQuery((database) =>
  database
    .selectFrom('status_changes')
    .selectAll()
    .where('position', '>', slot<number>(0))
    .orderBy('position')
    .limit(slot<number>(1)),
);

const selectLast = compileQuery((database) =>
  database
    .selectFrom(sql<{ name: string; seq: number }>`"sqlite_sequence"`.as('sequence'))
    .select('seq')
    .where(sql<SqlBool>`"name" = 'status_changes'`),
);

const prune = compileQuery((database) => database.deleteFrom('status_changes').where('position', '<', slot<number>(0)));

/** Records a change; the set that holds it must hold the change itself and its audit event. */
export function insertStatusChange({ serialNumber, state, at }: NewStatusChange): WriteOperation {
  return { sql: insert.sql, parameters: [state, at.getTime(), serialNumber] };
}

/** Changes behind a position, in their order. Throws CoreError `unavailable`. */
export function listStatusChanges(
  store: StoreReader,
  afterPosition: number,
  limit: number,
): readonly StoredStatusChange[] {
  return store.all(selectAfter, afterPosition, limit).map(toStoredStatusChange);
}

/** Position of the newest change, also when it was pruned; 0 before the first. Throws CoreError `unavailable`. */
export function lastStatusPosition(store: StoreReader): number {
  return store.one(selectLast)?.seq ?? 0;
}

/** Forgets the changes before a position. */
export function pruneStatusChanges(before: number): WriteOperation {
  return { sql: prune.sql, parameters: [before] };
}

function toStoredStatusChange(row: Omit<StatusChangeTable, 'position'> & { position: number }): StoredStatusChange {
  return {
    position: row.position,
    serialNumber: row.serial_number,
    authority: row.authority,
    crlScope: row.crl_scope,
    notAfter: new Date(row.not_after),
    state: row.state,
    at: new Date(row.at),
  };
}
