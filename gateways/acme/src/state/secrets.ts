// Secrets that all copies of the gate share. Whoever comes first makes one; everybody reads the one that was made.

import { randomBytes } from 'node:crypto';
import type { Clock } from '@gatehouse/runtime/clock';
import type { StateStore } from '@gatehouse/runtime/database/state-store';
import { compileQuery, slot } from './queries.ts';

const insertSecret = compileQuery((database) =>
  database
    .insertInto('secrets')
    .values({ name: slot(0), value: slot(1), created_at: slot(2) })
    .onConflict((conflict) => conflict.doNothing()),
);

const selectSecret = compileQuery((database) =>
  database.selectFrom('secrets').select('value').where('name', '=', slot<string>(0)),
);

/**
 * The secret of this name, 32 octets; it is made when there is none.
 *
 * @throws {StateUnavailableError}
 */
export async function sharedSecret(store: StateStore, name: string, clock: Clock): Promise<Uint8Array> {
  const before = await store.one(selectSecret, name);
  if (before !== undefined) return before.value;
  await store.commit([{ sql: insertSecret.sql, parameters: [name, randomBytes(32), clock.now().getTime()] }]);
  const made = await store.one(selectSecret, name);
  if (made === undefined) throw new Error(`the secret '${name}' is not there although it was just written`);
  return made.value;
}
