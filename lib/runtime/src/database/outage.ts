// Tells a database that cannot be used now (full, read-only, broken, locked) from a statement that was refused.
// The first is nobody's fault that asks, and the next attempt may not meet it; the second belongs to whoever sent the
// statement.

import type { DatabaseErrorCode } from './error.ts';

/** Kinds of failure that are outages, and what an operator should read. */
export type Outages = { readonly [code in DatabaseErrorCode]?: string };

/** Those of a database that is a file. */
export const fileOutages: Outages = {
  'disk-full': 'the disk that holds the database is full',
  'read-only': 'the database or its directory cannot be written',
  'cannot-open': 'the database or its directory cannot be opened',
  corrupt: 'the database is damaged',
  busy: 'another process holds the lock of the database',
  io: 'the disk failed under the database',
};

/** Those of a database server. */
export const serverOutages: Outages = {
  'disk-full': 'the disk of the database server is full',
  'read-only': 'the database server takes no writes',
  'cannot-open': 'the database server cannot be reached',
  corrupt: 'the database is damaged',
  busy: 'the database server is too busy or waits for a lock',
  io: 'the disk failed under the database server',
};
