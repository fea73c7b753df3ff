// What one decision of the keep changes: statements and audit events that become durable together or not at all.
// A write set is data made before the transaction; it must never hold a function that reads the database while it is
// written.

import type { AuditEventDraft } from '../audit/event.ts';

/** A value that SQLite can hold. Booleans are 0 and 1, times are epoch milliseconds, UTC. */
export type SqlValue = string | number | bigint | null | Uint8Array;

/** One statement with its parameters. The text is compiled once, at load; only parameters change from call to call. */
export type WriteOperation = {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
  /**
   * How many rows must have changed. If it is another number, the whole set is undone and `otherwise()` is its failure.
   */
  readonly expects?: { readonly rows: number; otherwise(): Error };
};

/**
 * What is committed as one: all of it or nothing. Operations are carried out in order; then the events are appended.
 */
export type WriteSet = {
  readonly operations: readonly WriteOperation[];
  /** ARCHITECTURE §1, rule 7: every change of state has at least one event. */
  readonly events: readonly AuditEventDraft[];
};
