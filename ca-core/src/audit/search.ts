// Finds audit events, newest first, in slices small enough that nobody waits for a search.
// The log has no index but its order, because each would cost every enrollment; a search walks back from the end.

import type { Kysely } from 'kysely';
import { lastAuditSequence, listAuditInstances, toAuditRecord } from '../store/audit-events.ts';
import type { Database } from '../store/database.ts';
import { guardReads } from '../store/failure.ts';
import type { StoreReader } from '../store/statements.ts';
import type { AuditRecord } from './event.ts';

/** All conditions that are set must hold. */
export type AuditFilter = {
  readonly action?: string | undefined;
  readonly serialNumber?: string | undefined;
  readonly registrationAuthority?: string | undefined;
  /** At this moment or later. */
  readonly after?: Date | undefined;
  /** Before this moment. */
  readonly before?: Date | undefined;
  /** At most this many. */
  readonly limit: number;
};

/** Records that one slice examines. */
const sliceRecords = 1000;

/** Streams the events that pass the filter, newest first. Throws CoreError `unavailable`. */
export async function* findAuditEvents(
  store: StoreReader & { readonly kysely: Kysely<Database> },
  filter: AuditFilter,
): AsyncGenerator<AuditRecord, void, void> {
  const chains = listAuditInstances(store).map((instance) => {
    return newestFirst(store.kysely, filter, instance, lastAuditSequence(store, instance));
  });
  // Each chain is in order by itself: the next event is the newest of their next ones.
  const nexts = await Promise.all(chains.map(async (chain) => ({ chain, next: (await chain.next()).value })));
  for (let remaining = filter.limit; remaining > 0; remaining--) {
    let newest: (typeof nexts)[number] | undefined;
    for (const candidate of nexts) {
      if (candidate.next !== undefined && candidate.next.at > (newest?.next?.at ?? -Infinity)) newest = candidate;
    }
    if (newest?.next === undefined) return;
    yield newest.next;
    newest.next = (await newest.chain.next()).value;
  }
}

async function* newestFirst(
  database: Kysely<Database>,
  filter: AuditFilter,
  instance: string,
  last: number,
): AsyncGenerator<AuditRecord, undefined, void> {
  for (let end = last; end > 0; end -= sliceRecords) {
    for (const record of await readSlice(database, filter, instance, end)) yield record;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return undefined;
}

async function readSlice(
  database: Kysely<Database>,
  filter: AuditFilter,
  instance: string,
  end: number,
): Promise<readonly AuditRecord[]> {
  const { action, serialNumber, registrationAuthority, after, before } = filter;
  let query = database
    .selectFrom('audit_events')
    .selectAll()
    .where('instance', '=', instance)
    .where('sequence', '<=', end)
    .where('sequence', '>', end - sliceRecords)
    .orderBy('sequence', 'desc')
    .limit(filter.limit);
  if (action !== undefined) query = query.where('action', '=', action);
  if (serialNumber !== undefined) query = query.where('serial_number', '=', serialNumber);
  if (registrationAuthority !== undefined) query = query.where('registration_authority', '=', registrationAuthority);
  if (after !== undefined) query = query.where('at', '>=', after.getTime());
  if (before !== undefined) query = query.where('at', '<', before.getTime());
  return (await guardReads(query.execute())).map(toAuditRecord);
}
