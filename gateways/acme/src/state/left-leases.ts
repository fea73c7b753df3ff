// Leases of work that a gate left when it was killed. Where the state is a file there is one copy of the gate, so that whoever
// starts knows that nobody else works on anything: it need not wait for the leases to end.

import type { StateStore } from '@gatehouse/runtime/database/state-store';
import { sql } from 'kysely';
import type { AuthorizationStatus, OrderStatus } from './database.ts';
import { compileQuery } from './queries.ts';

/** Long ago. */
const over = sql.lit(0);

const endValidations = compileQuery((database) =>
  database
    .updateTable('authorizations')
    .set({ lease_until: over })
    .where('status', '=', sql.lit<AuthorizationStatus>('pending'))
    .where('lease_owner', 'is not', null),
);

// What waits for its time is leased by nobody, and goes on waiting.
const endIssuances = compileQuery((database) =>
  database
    .updateTable('orders')
    .set({ lease_until: over })
    .where('status', '=', sql.lit<OrderStatus>('processing'))
    .where('lease_owner', 'is not', null),
);

/** Ends them, so that the next sweep takes the work up; with PostgreSQL, where others may be at work, it does nothing. */
export async function endLeftLeases(store: StateStore): Promise<void> {
  if (store.dialect !== 'sqlite') return;
  await store.commit([
    { sql: endValidations.sql, parameters: [] },
    { sql: endIssuances.sql, parameters: [] },
  ]);
}
