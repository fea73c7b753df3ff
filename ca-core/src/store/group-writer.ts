// Writes a group of sets in one transaction and appends their audit events; the same code runs in the core's thread and
// in the writer's.
// It says what became of each set as plain data, because functions and errors of ours do not travel between threads.

import type { DatabaseSync } from 'node:sqlite';
import { type DatabaseErrorCode, toDatabaseError } from '@gatehouse/runtime/database/sqlite';
import { type AuditChain, type AuditHead, emptyHead } from '../audit/chain.ts';
import type { AuditEventDraft } from '../audit/event.ts';
import { findAuditHead, insertAuditRecord, writeAuditHead } from './audit-events.ts';
import { outageOf } from './failure.ts';
import type { Statements } from './statements.ts';
import type { SqlValue } from './write-set.ts';

/** A statement as it travels: SQL, parameters and how many rows must change, if that matters. */
export type PlainOperation = readonly [sql: string, parameters: readonly SqlValue[], rows: number | undefined];

/** A write set without its functions. */
export type PlainSet = { readonly operations: readonly PlainOperation[]; readonly events: readonly AuditEventDraft[] };

/** Sets that become durable together. */
export type Group = { readonly sets: readonly PlainSet[]; readonly at: Date };

/**
 * Why one set of a group was undone: the operation that changed another number of rows, or a statement that was
 * refused.
 */
export type SetFailure =
  | { readonly kind: 'rows'; readonly set: number; readonly operation: number }
  | { readonly kind: 'refused'; readonly set: number; readonly code: DatabaseErrorCode; readonly message: string };

/** What became of a group. After an outage nothing of it is stored, as far as anybody knows. */
export type GroupResult =
  | { readonly kind: 'written'; readonly head: AuditHead; readonly failures: readonly SetFailure[] }
  | { readonly kind: 'outage'; readonly code: DatabaseErrorCode; readonly message: string };

/** What a writer works on. */
export type GroupWriterParts = {
  /** Runs synchronous work in one transaction; when it resolves, the work is on the disk. */
  transact<T>(work: (raw: DatabaseSync) => T): Promise<T>;
  readonly statements: Statements;
  readonly audit: AuditChain;
  readonly instance: string;
};

/** Writes a group. Never rejects. */
export async function writeGroup(parts: GroupWriterParts, group: Group): Promise<GroupResult> {
  try {
    const head = await parts.transact(() => writeTogether(parts, group));
    return { kind: 'written', head, failures: [] };
  } catch (error) {
    const outage = asOutage(error);
    if (outage !== undefined) return outage;
  }
  // A set was refused and the transaction undone. Once more, with a savepoint around each set, so that nobody is taken
  // along.
  try {
    const failures: SetFailure[] = [];
    const head = await parts.transact((raw) => writeSeparately(parts, raw, group, failures));
    return { kind: 'written', head, failures };
  } catch (error) {
    return asOutage(error) ?? { kind: 'outage', code: 'other', message: String(error) };
  }
}

function writeTogether(parts: GroupWriterParts, group: Group): AuditHead {
  const start = readHead(parts);
  let head = start;
  for (const [index, set] of group.sets.entries()) head = writeSet(parts, head, set, index, group.at);
  return writeHead(parts, start, head);
}

function writeSeparately(parts: GroupWriterParts, raw: DatabaseSync, group: Group, failures: SetFailure[]): AuditHead {
  const start = readHead(parts);
  let head = start;
  for (const [index, set] of group.sets.entries()) {
    raw.exec('SAVEPOINT one');
    try {
      head = writeSet(parts, head, set, index, group.at);
    } catch (error) {
      // When SQLite has given up the whole transaction there is no savepoint to go back to.
      if (asOutage(error) !== undefined || !raw.isTransaction) throw error;
      raw.exec('ROLLBACK TO one');
      failures.push(asSetFailure(error, index));
    }
    raw.exec('RELEASE one');
  }
  return writeHead(parts, start, head);
}

/** Carries one set out and appends its events; returns the new head. */
function writeSet(parts: GroupWriterParts, start: AuditHead, set: PlainSet, index: number, at: Date): AuditHead {
  const { statements, audit } = parts;
  for (const [operation, [sql, parameters, rows]] of set.operations.entries()) {
    const changed = statements.run(sql, parameters);
    if (rows !== undefined && changed !== rows) throw new WrongRows({ kind: 'rows', set: index, operation });
  }
  let head = start;
  for (const event of set.events) {
    const record = audit.next(head, event, at);
    const { sql, parameters } = insertAuditRecord(record);
    statements.run(sql, parameters);
    head = record;
  }
  return head;
}

// Read inside the transaction, not remembered: after a commit of which nobody knows whether it arrived, only the
// database knows.
function readHead({ statements, instance }: GroupWriterParts): AuditHead {
  return findAuditHead(statements, instance) ?? emptyHead(instance);
}

function writeHead({ statements, audit }: GroupWriterParts, start: AuditHead, end: AuditHead): AuditHead {
  const { instance, sequence, mac } = end;
  const head = { instance, sequence, mac };
  if (sequence === start.sequence) return head;
  const { sql, parameters } = writeAuditHead({ ...head, authenticator: audit.authenticateHead(head) });
  statements.run(sql, parameters);
  return head;
}

/** Stops a transaction; never leaves this module. */
class WrongRows extends Error {
  readonly failure: SetFailure;

  constructor(failure: SetFailure) {
    super('another number of rows changed than was expected');
    this.failure = failure;
  }
}

function asSetFailure(error: unknown, set: number): SetFailure {
  if (error instanceof WrongRows) return error.failure;
  const { code, message } = toDatabaseError(error);
  return { kind: 'refused', set, code, message };
}

function asOutage(error: unknown): (GroupResult & { kind: 'outage' }) | undefined {
  const outage = outageOf(error);
  return outage === undefined ? undefined : { kind: 'outage', code: outage.code, message: outage.detail };
}
