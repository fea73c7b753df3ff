// Enrollments that were not refused: the memory by which a retry gets the first answer, and the queue of those that
// wait for a person.
// A record is made once for each idempotency key of an RA; the second insertion fails with DuplicateRequestError and
// takes its whole set along.

import { CoreError } from '@gatehouse/proto/core-error';
import type { Requester } from '@gatehouse/proto/types';
import { type Selectable, type SqlBool, sql } from 'kysely';
import type { RequestState, RequestTable } from './database.ts';
import { compileInsert, compileQuery, slot } from './queries.ts';
import { toRequester } from './requester.ts';
import type { StoreReader } from './statements.ts';
import type { WriteOperation } from './write-set.ts';

/** The RA has used this idempotency key: read the first record again and answer by it. */
export class DuplicateRequestError extends Error {
  override readonly name = 'DuplicateRequestError';
  readonly code = 'duplicate-request';

  constructor(registrationAuthority: string) {
    super(`RA ${registrationAuthority} used an idempotency key twice`);
  }
}

/** What every enrollment is recorded with. */
export type NewRequest = {
  /** Request id, unique. */
  readonly id: string;
  readonly registrationAuthority: string;
  readonly idempotencyKey: string;
  /** SHA-256 of what the key stands for. */
  readonly contentSha256: Uint8Array;
  readonly profile: string;
  readonly requester: Requester;
  readonly requestedAt: Date;
};

/** An enrollment that waits for a person. */
export type NewPendingRequest = NewRequest & {
  /** EnrollRequest in protobuf, to be judged again. */
  readonly payload: Uint8Array;
  /** RFC 4514. */
  readonly subject: string;
  /** Text with the kind: `DNS:a.example`. */
  readonly names: readonly string[];
};

/** An enrollment as recorded. */
export type RequestRecord = NewRequest & {
  readonly state: RequestState;
  /** Set when issued. */
  readonly serialNumber: string | undefined;
  /** Set while pending. */
  readonly payload: Uint8Array | undefined;
  /** Empty when issued at once. */
  readonly subject: string;
  readonly names: readonly string[];
  readonly decidedAt: Date | undefined;
  /** URI of the operator. */
  readonly decidedBy: string | undefined;
  readonly reason: string | undefined;
};

/** A person's decision on a pending enrollment. */
export type RequestDecision = {
  readonly id: string;
  readonly decidedAt: Date;
  /** URI of the operator. */
  readonly decidedBy: string;
  readonly reason: string;
};

// A literal, not a parameter: only so can the planner use the index of what is pending.
const isPending = sql<SqlBool>`"state" = 'pending'`;

const columns = [
  'id',
  'registration_authority',
  'idempotency_key',
  'content_sha256',
  'profile',
  'state',
  'serial_number',
  'requested_at',
  'requester_kind',
  'requester_id',
  'requester_display',
  'requester_address',
] as const;

const insertIssued = onlyOnce(compileInsert('requests', columns).sql);
const insertPending = onlyOnce(compileInsert('requests', [...columns, 'payload', 'subject', 'names']).sql);

// A violated constraint would say only which columns; a row that was not inserted has one cause.
function onlyOnce(insert: string): string {
  return `${insert} on conflict ("registration_authority", "idempotency_key") do nothing`;
}

const selectByIdempotencyKey = compileQuery((database) =>
  database
    .selectFrom('requests')
    .selectAll()
    .where('registration_authority', '=', slot<string>(0))
    .where('idempotency_key', '=', slot<string>(1)),
);

const selectById = compileQuery((database) =>
  database.selectFrom('requests').selectAll().where('id', '=', slot<string>(0)),
);

const selectPending = compileQuery((database) =>
  database
    .selectFrom('requests')
    .selectAll()
    .where(isPending)
    .orderBy('requested_at')
    .orderBy('id')
    .limit(slot<number>(0)),
);

const countPending = compileQuery((database) =>
  database
    .selectFrom('requests')
    .select((select) => select.fn.countAll<number>().as('pending'))
    .where(isPending),
);

const decide = compileQuery((database) =>
  database
    .updateTable('requests')
    .set({
      state: slot<RequestState>(0),
      serial_number: slot<string>(1),
      decided_at: slot(2),
      decided_by: slot<string>(3),
      reason: slot<string>(4),
      payload: (build) => build.lit(null),
    })
    .where('id', '=', slot<string>(5))
    .where(isPending),
);

const renew = compileQuery((database) =>
  database
    .updateTable('requests')
    .set({ payload: slot<Uint8Array>(0) })
    .where('id', '=', slot<string>(1))
    .where(isPending),
);

/** Records an enrollment whose certificate is in the same set. Fails with {@link DuplicateRequestError}. */
export function insertIssuedRequest(request: NewRequest & { readonly serialNumber: string }): WriteOperation {
  return insertion(insertIssued, request, 'issued', request.serialNumber, []);
}

/** Records an enrollment that waits for a person. Fails with {@link DuplicateRequestError}. */
export function insertPendingRequest(request: NewPendingRequest): WriteOperation {
  const { payload, subject, names } = request;
  return insertion(insertPending, request, 'pending', null, [payload, subject, JSON.stringify(names)]);
}

function insertion(
  sql: string,
  request: NewRequest,
  state: RequestState,
  serialNumber: string | null,
  more: readonly (string | Uint8Array)[],
): WriteOperation {
  const { registrationAuthority, requester } = request;
  return {
    sql,
    parameters: [
      request.id,
      registrationAuthority,
      request.idempotencyKey,
      request.contentSha256,
      request.profile,
      state,
      serialNumber,
      request.requestedAt.getTime(),
      requester.kind,
      requester.id,
      requester.display,
      requester.address,
      ...more,
    ],
    expects: { rows: 1, otherwise: () => new DuplicateRequestError(registrationAuthority) },
  };
}

/**
 * Turns a pending enrollment into an issued one; its certificate is in the same set. Fails with CoreError `conflict`
 * when it was decided.
 */
export function approveRequest(decision: RequestDecision & { readonly serialNumber: string }): WriteOperation {
  return decisionOn(decision, 'issued', decision.serialNumber);
}

/** Replaces what a pending enrollment is judged by. Fails with CoreError `conflict` when it was decided. */
export function renewPendingRequest(id: string, payload: Uint8Array): WriteOperation {
  return { sql: renew.sql, parameters: [payload, id], expects: { rows: 1, otherwise: () => decidedAlready(id) } };
}

/** Turns a pending enrollment into a rejected one. Fails with CoreError `conflict` when it was decided. */
export function rejectRequest(decision: RequestDecision): WriteOperation {
  return decisionOn(decision, 'rejected', null);
}

function decisionOn(decision: RequestDecision, state: RequestState, serialNumber: string | null): WriteOperation {
  const { id, decidedAt, decidedBy, reason } = decision;
  return {
    sql: decide.sql,
    parameters: [state, serialNumber, decidedAt.getTime(), decidedBy, reason, id],
    expects: { rows: 1, otherwise: () => decidedAlready(id) },
  };
}

function decidedAlready(id: string): CoreError {
  return new CoreError('conflict', `enrollment ${id} does not wait for a decision`);
}

/** The enrollment that an RA made with this key. Throws CoreError `unavailable`. */
export function findRequestByIdempotencyKey(
  store: StoreReader,
  registrationAuthority: string,
  idempotencyKey: string,
): RequestRecord | undefined {
  return toRecord(store.one(selectByIdempotencyKey, registrationAuthority, idempotencyKey));
}

/** The enrollment with this request id. Throws CoreError `unavailable`. */
export function findRequest(store: StoreReader, id: string): RequestRecord | undefined {
  return toRecord(store.one(selectById, id));
}

/** How many enrollments wait for a person. Throws CoreError `unavailable`. */
export function countPendingRequests(store: StoreReader): number {
  return store.one(countPending)?.pending ?? 0;
}

/** Enrollments that wait for a person, oldest first. Throws CoreError `unavailable`. */
export function listPendingRequests(store: StoreReader, limit: number): readonly RequestRecord[] {
  return store.all(selectPending, limit).flatMap((row) => toRecord(row) ?? []);
}

function toRecord(row: Selectable<RequestTable> | undefined): RequestRecord | undefined {
  if (row === undefined) return undefined;
  return {
    id: row.id,
    registrationAuthority: row.registration_authority,
    idempotencyKey: row.idempotency_key,
    contentSha256: row.content_sha256,
    profile: row.profile,
    requester: toRequester(row),
    requestedAt: new Date(row.requested_at),
    state: row.state,
    serialNumber: row.serial_number ?? undefined,
    payload: row.payload ?? undefined,
    subject: row.subject ?? '',
    names: row.names === null ? [] : JSON.parse(row.names),
    decidedAt: row.decided_at === null ? undefined : new Date(row.decided_at),
    decidedBy: row.decided_by ?? undefined,
    reason: row.reason ?? undefined,
  };
}
