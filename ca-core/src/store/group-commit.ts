// Group commit: sets that arrive while the disk is busy share the next transaction and so one wait for the disk, and
// each is answered only after it.
// A lone set is written at once in this thread, without a trip to another; a group, or a set of many statements, goes to
// the writer thread, and this one goes on with the next requests.

import type { Clock } from '@gatehouse/runtime/clock';
import { DatabaseError } from '@gatehouse/runtime/database/sqlite';
import type { AuditHead } from '../audit/chain.ts';
import { unavailable } from './failure.ts';
import type { Group, GroupResult, PlainOperation, PlainSet, SetFailure } from './group-writer.ts';
import type { WriteOperation, WriteSet } from './write-set.ts';

/** What a group commit works on. */
export type GroupCommitParts = {
  /** Writes in this thread. */
  writeHere(group: Group): Promise<GroupResult>;
  /** Writes in another thread; nothing when there is none now. */
  writeElsewhere(): ((group: Group) => Promise<GroupResult>) | undefined;
  readonly clock: Clock;
  /** Called after each transaction that is on the disk. */
  onCommitted(head: AuditHead): void;
  /** Called when the store could not write. */
  onOutage(outage: GroupResult & { kind: 'outage' }): void;
};

/** Commits sets together. */
export type GroupCommit = {
  /**
   * Resolves when the set is on the disk; rejects with the set's own failure or CoreError `unavailable`, and then
   * nothing of it is.
   */
  commit(set: WriteSet): Promise<void>;
  /** Resolves when everything that was asked for so far is decided. */
  drain(): Promise<void>;
};

type Member = { readonly set: WriteSet; resolve(): void; reject(error: unknown): void };

/** More than this would make the first of the group wait too long for the last. */
const maximumGroup = 256;

/** More statements than any single request needs: they would keep this thread for milliseconds. */
const manyOperations = 32;

/** Creates the one way to write to a store. */
export function createGroupCommit(parts: GroupCommitParts): GroupCommit {
  let waiting: Member[] = [];
  let isScheduled = false;
  let idle: (() => void)[] = [];

  async function writeNext(): Promise<void> {
    const members = waiting.slice(0, maximumGroup);
    waiting = waiting.slice(maximumGroup);
    const group = { sets: members.map(({ set }) => toPlainSet(set)), at: parts.clock.now() };
    const isMuch = members.length > 1 || members.some(({ set }) => set.operations.length >= manyOperations);
    const elsewhere = isMuch ? parts.writeElsewhere() : undefined;
    answer(parts, members, await (elsewhere ?? parts.writeHere)(group));
    // What has arrived meanwhile is the next group.
    isScheduled = false;
    if (waiting.length > 0) return schedule();
    for (const resolve of idle) resolve();
    idle = [];
  }

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    // Not a timer: a lone client would pay for it with every call.
    setImmediate(() => void writeNext());
  }

  return {
    commit: (set) =>
      new Promise((resolve, reject) => {
        waiting.push({ set, resolve, reject });
        schedule();
      }),
    drain: () => (isScheduled ? new Promise((resolve) => idle.push(resolve)) : Promise.resolve()),
  };
}

function answer(parts: GroupCommitParts, members: readonly Member[], result: GroupResult): void {
  if (result.kind === 'outage') {
    parts.onOutage(result);
    const error = unavailable(new DatabaseError(result.code, result.message));
    for (const member of members) member.reject(error);
    return;
  }
  parts.onCommitted(result.head);
  const failures = new Map(result.failures.map((failure) => [failure.set, failure]));
  for (const [index, member] of members.entries()) {
    const failure = failures.get(index);
    if (failure === undefined) member.resolve();
    else member.reject(toError(member.set, failure));
  }
}

function toPlainSet({ operations, events }: WriteSet): PlainSet {
  return { operations: operations.map(toPlainOperation), events };
}

function toPlainOperation({ sql, parameters, expects }: WriteOperation): PlainOperation {
  return [sql, parameters, expects?.rows];
}

function toError(set: WriteSet, failure: SetFailure): Error {
  if (failure.kind === 'refused') return new DatabaseError(failure.code, failure.message);
  return set.operations[failure.operation]?.expects?.otherwise() ?? new Error('another number of rows changed');
}
