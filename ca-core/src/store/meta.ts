// Facts of the database itself, by name. Small, few and written seldom.

import { compileQuery, slot } from './queries.ts';
import type { StoreReader } from './statements.ts';
import type { WriteOperation } from './write-set.ts';

const select = compileQuery((database) =>
  database.selectFrom('meta').select('value').where('key', '=', slot<string>(0)),
);

const upsert = compileQuery((database) =>
  database
    .insertInto('meta')
    .values({ key: slot(0), value: slot(1) })
    .onConflict((conflict) => conflict.column('key').doUpdateSet((row) => ({ value: row.ref('excluded.value') }))),
);

/** The value under a key. */
export function findMeta(store: StoreReader, key: string): string | undefined {
  return store.one(select, key)?.value;
}

/** Sets the value under a key. */
export function writeMeta(key: string, value: string): WriteOperation {
  return { sql: upsert.sql, parameters: [key, value] };
}
