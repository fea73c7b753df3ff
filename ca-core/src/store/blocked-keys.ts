// Keys that are never certified again, by fingerprint: lost, weak or shared ones (RFC 5280 §5.3.1, keyCompromise).
// A key is only ever added.

import { compileInsert, compileQuery, slot } from './queries.ts';
import type { StoreReader } from './statements.ts';
import type { WriteOperation } from './write-set.ts';

/** A key to block. */
export type BlockedKey = {
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly fingerprint: Uint8Array;
  readonly reason: string;
  readonly blockedAt: Date;
};

// Blocking a key twice is no mistake; the first reason stays.
const insert = `${compileInsert('blocked_keys', ['fingerprint', 'reason', 'blocked_at']).sql} on conflict do nothing`;

const select = compileQuery((database) =>
  database.selectFrom('blocked_keys').select('blocked_at').where('fingerprint', '=', slot<Uint8Array>(0)),
);

/** Blocks a key. */
export function blockKey(key: BlockedKey): WriteOperation {
  return { sql: insert, parameters: [key.fingerprint, key.reason, key.blockedAt.getTime()] };
}

/**
 * Whether the key with this fingerprint (SHA-256 of its SubjectPublicKeyInfo) is blocked. Throws CoreError
 * `unavailable`.
 */
export function isKeyBlocked(store: StoreReader, fingerprint: Uint8Array): boolean {
  return store.one(select, fingerprint) !== undefined;
}
