// Revocations of many certificates at once: what is wanted and how far it has got. The row of a job is moved on in the set
// that changes the certificates, so that it never tells of more or less than was done.

import { CoreError } from '@gatehouse/proto/core-error';
import type { Selectable } from 'kysely';
import type { BulkRevocationTable } from './database.ts';
import { compileInsert, compileQuery, slot } from './queries.ts';
import type { StoreReader } from './statements.ts';
import type { WriteOperation } from './write-set.ts';

/** A job that begins. */
export type NewBulkRevocation = {
  readonly id: string;
  readonly idempotencyKey: string;
  /** JSON, as revocation/bulk-query.ts writes it. */
  readonly query: string;
  /** CRLReason, RFC 5280 §5.3.1. */
  readonly reason: number;
  readonly invalidityDate: Date | undefined;
  /** How many certificates are meant. */
  readonly matching: number;
  /** Position of the last certificate that is meant. */
  readonly endPosition: number;
  readonly startedAt: Date;
  /** URI of the operator. */
  readonly actor: string;
};

/** How a job stands. */
export type BulkRevocationState = BulkRevocationTable['state'];

/** A job as recorded. */
export type StoredBulkRevocation = NewBulkRevocation & {
  readonly state: BulkRevocationState;
  readonly changed: number;
  readonly passedOver: number;
  /** Position of the last certificate that was looked at; 0 before the first. */
  readonly lastPosition: number;
  /** Set when it no longer runs. */
  readonly endedAt: Date | undefined;
};

/** What one page of a job adds. */
export type BulkRevocationProgress = {
  readonly changed: number;
  readonly passedOver: number;
  readonly lastPosition: number;
};

const insert = `${
  compileInsert('bulk_revocations', [
    'id',
    'idempotency_key',
    'query',
    'reason',
    'invalidity_date',
    'state',
    'matching',
    'changed',
    'passed_over',
    'last_position',
    'end_position',
    'started_at',
    'actor',
  ]).sql
} on conflict ("idempotency_key") do nothing`;

const advance = compileQuery((database) =>
  database
    .updateTable('bulk_revocations')
    .set((row) => ({
      changed: row('changed', '+', slot<number>(0)),
      passed_over: row('passed_over', '+', slot<number>(1)),
      last_position: slot<number>(2),
    }))
    .where('id', '=', slot<string>(3))
    .where('last_position', '=', slot<number>(4))
    .where('state', '=', slot<BulkRevocationState>(5)),
);

const end = compileQuery((database) =>
  database
    .updateTable('bulk_revocations')
    .set({ state: slot<BulkRevocationState>(0), ended_at: slot<number>(1) })
    .where('id', '=', slot<string>(2))
    .where('state', '=', slot<BulkRevocationState>(3)),
);

const selectById = compileQuery((database) =>
  database.selectFrom('bulk_revocations').selectAll().where('id', '=', slot<string>(0)),
);

const selectByIdempotencyKey = compileQuery((database) =>
  database.selectFrom('bulk_revocations').selectAll().where('idempotency_key', '=', slot<string>(0)),
);

// Ids sort by time.
const selectNewest = compileQuery((database) =>
  database.selectFrom('bulk_revocations').selectAll().orderBy('id', 'desc').limit(slot<number>(0)),
);

const selectRunning = compileQuery((database) =>
  database
    .selectFrom('bulk_revocations')
    .select('id')
    .where('state', '=', slot<BulkRevocationState>(0))
    .orderBy('id')
    .limit(slot<number>(1)),
);

/** Records a job that begins. Fails with CoreError `conflict` when its idempotency key was used. */
export function insertBulkRevocation(job: NewBulkRevocation): WriteOperation {
  const { id, idempotencyKey, query, reason, invalidityDate, matching, endPosition, startedAt, actor } = job;
  const invalidAt = invalidityDate?.getTime() ?? null;
  const start = startedAt.getTime();
  return {
    sql: insert,
    parameters: [id, idempotencyKey, query, reason, invalidAt, 'running', matching, 0, 0, 0, endPosition, start, actor],
    expects: { rows: 1, otherwise: () => new CoreError('conflict', 'the idempotency key was used before') },
  };
}

/** Moves a job on from where it was read. Fails with CoreError `conflict` when it has moved or ended meanwhile. */
export function advanceBulkRevocation(from: StoredBulkRevocation, by: BulkRevocationProgress): WriteOperation {
  return {
    sql: advance.sql,
    parameters: [by.changed, by.passedOver, by.lastPosition, from.id, from.lastPosition, 'running'],
    expects: { rows: 1, otherwise: () => notRunning(from.id) },
  };
}

/** Ends a job. Fails with CoreError `conflict` when it has ended already. */
export function endBulkRevocation(id: string, state: 'done' | 'stopped', at: Date): WriteOperation {
  return {
    sql: end.sql,
    parameters: [state, at.getTime(), id, 'running'],
    expects: { rows: 1, otherwise: () => notRunning(id) },
  };
}

/** The job with this id. Throws CoreError `unavailable`. */
export function findBulkRevocation(store: StoreReader, id: string): StoredBulkRevocation | undefined {
  return toStoredBulkRevocation(store.one(selectById, id));
}

/** The job that was begun with this key. Throws CoreError `unavailable`. */
export function findBulkRevocationByKey(store: StoreReader, idempotencyKey: string): StoredBulkRevocation | undefined {
  return toStoredBulkRevocation(store.one(selectByIdempotencyKey, idempotencyKey));
}

/** The newest jobs, newest first. Throws CoreError `unavailable`. */
export function listBulkRevocations(store: StoreReader, limit: number): readonly StoredBulkRevocation[] {
  return store.all(selectNewest, limit).flatMap((row) => toStoredBulkRevocation(row) ?? []);
}

/** Ids of the jobs that are not over, oldest first. Throws CoreError `unavailable`. */
export function listRunningBulkRevocations(store: StoreReader, limit: number): readonly string[] {
  return store.all(selectRunning, 'running', limit).map(({ id }) => id);
}

function notRunning(id: string): CoreError {
  return new CoreError('conflict', `bulk revocation ${id} does not run, or not from there`);
}

function toStoredBulkRevocation(row: Selectable<BulkRevocationTable> | undefined): StoredBulkRevocation | undefined {
  if (row === undefined) return undefined;
  return {
    id: row.id,
    idempotencyKey: row.idempotency_key,
    query: row.query,
    reason: row.reason,
    invalidityDate: row.invalidity_date === null ? undefined : new Date(row.invalidity_date),
    state: row.state,
    matching: row.matching,
    changed: row.changed,
    passedOver: row.passed_over,
    lastPosition: row.last_position,
    endPosition: row.end_position,
    startedAt: new Date(row.started_at),
    endedAt: row.ended_at === null ? undefined : new Date(row.ended_at),
    actor: row.actor,
  };
}
