// Who this core is among all that share a trust anchor: made once at random, kept in the database, never changed.
// The serial prefix keeps serial numbers of two cores apart even if their random parts met (CORE.md, Issuance, step 7).

import { randomBytes, randomInt } from 'node:crypto';
import { findMeta, writeMeta } from './meta.ts';
import type { Statements } from './statements.ts';

/** The identity of a core. */
export type StoreInstance = {
  /** 16 hexadecimal characters. */
  readonly id: string;
  /**
   * Two octets in front of every serial number; the first is 0x01 to 0x7f, so that the number is positive and its
   * length fixed.
   */
  readonly serialNumberPrefix: Uint8Array;
};

const idKey = 'instance';
const prefixKey = 'serial-number-prefix';

/** Reads the identity, or makes it in a new database. Call it inside a transaction. */
export function ensureInstance(statements: Statements): StoreInstance {
  const id = ensure(statements, idKey, () => randomBytes(8).toString('hex'));
  const prefix = ensure(statements, prefixKey, () =>
    Buffer.from([randomInt(0x01, 0x80), randomInt(0x100)]).toString('hex'),
  );
  return { id, serialNumberPrefix: new Uint8Array(Buffer.from(prefix, 'hex')) };
}

function ensure(statements: Statements, key: string, make: () => string): string {
  const known = findMeta(statements, key);
  if (known !== undefined) return known;
  const made = make();
  const { sql, parameters } = writeMeta(key, made);
  statements.run(sql, parameters);
  return made;
}
