// Keys with which perspectives and gates sign statements about names, by the RFC 7638 thumbprint that statements name.
// A row is never deleted and never becomes active again: evidence that was recorded is verified with it for years.

import { CoreError } from '@gatehouse/proto/core-error';
import type { Selectable } from 'kysely';
import type { SigningKeyTable } from './database.ts';
import { compileInsert, compileQuery, slot } from './queries.ts';
import type { StoreReader } from './statements.ts';
import type { WriteOperation } from './write-set.ts';

/** A key as it is registered. */
export type NewSigningKey = {
  /** RFC 7638 thumbprint, base64url. */
  readonly keyId: string;
  /** URI of the perspective or gate. */
  readonly holder: string;
  /** DER. */
  readonly subjectPublicKeyInfo: Uint8Array;
  readonly activeFrom: Date;
};

/** A key as stored. */
export type StoredSigningKey = NewSigningKey & {
  /** Nothing while it is active. */
  readonly retiredAt: Date | undefined;
  /** Set when an operator revoked it: nothing that it ever signed counts. */
  readonly revokedAt: Date | undefined;
};

// A key that is known is found by the row that is not inserted.
const insert = `${
  compileInsert('signing_keys', ['key_id', 'holder', 'subject_public_key_info', 'active_from', 'reason']).sql
} on conflict do nothing`;

const selectAll = compileQuery((database) =>
  database.selectFrom('signing_keys').selectAll().orderBy('holder').orderBy('active_from').orderBy('key_id'),
);

const retire = compileQuery((database) =>
  database
    .updateTable('signing_keys')
    .set({ retired_at: slot(0) })
    .where('key_id', '=', slot<string>(1))
    .where('retired_at', 'is', null),
);

const retireAll = compileQuery((database) =>
  database
    .updateTable('signing_keys')
    .set({ retired_at: slot(0) })
    .where('holder', '=', slot<string>(1))
    .where('retired_at', 'is', null),
);

const revoke = compileQuery((database) =>
  database
    .updateTable('signing_keys')
    .set({ revoked_at: slot(0), reason: slot(1) })
    .where('key_id', '=', slot<string>(2))
    .where('revoked_at', 'is', null),
);

/** Registers a key. Fails with CoreError `conflict` when somebody registered it meanwhile. */
export function insertSigningKey(key: NewSigningKey): WriteOperation {
  return {
    sql: insert,
    parameters: [key.keyId, key.holder, key.subjectPublicKeyInfo, key.activeFrom.getTime(), ''],
    expects: { rows: 1, otherwise: () => new CoreError('conflict', `the key ${key.keyId} is registered already`) },
  };
}

/** Retires an active key. Fails with CoreError `conflict` when it is not active any more. */
export function retireSigningKey(keyId: string, retiredAt: Date): WriteOperation {
  return {
    sql: retire.sql,
    parameters: [retiredAt.getTime(), keyId],
    expects: { rows: 1, otherwise: () => new CoreError('conflict', `the key ${keyId} is not active any more`) },
  };
}

/** Retires the active keys of a holder, however many there are. */
export function retireSigningKeysOf(holder: string, retiredAt: Date): WriteOperation {
  return { sql: retireAll.sql, parameters: [retiredAt.getTime(), holder] };
}

/** Revokes a key, also one that is retired. Fails with CoreError `conflict` when it is revoked already. */
export function revokeSigningKey(keyId: string, revokedAt: Date, reason: string): WriteOperation {
  return {
    sql: revoke.sql,
    parameters: [revokedAt.getTime(), reason, keyId],
    expects: { rows: 1, otherwise: () => new CoreError('conflict', `the key ${keyId} is revoked already`) },
  };
}

/** All keys by holder, oldest first: a few for each perspective and year. Throws CoreError `unavailable`. */
export function listSigningKeys(store: StoreReader): readonly StoredSigningKey[] {
  return store.all(selectAll).map(toSigningKey);
}

function toSigningKey(row: Selectable<SigningKeyTable>): StoredSigningKey {
  return {
    keyId: row.key_id,
    holder: row.holder,
    subjectPublicKeyInfo: row.subject_public_key_info,
    activeFrom: new Date(row.active_from),
    retiredAt: row.retired_at === null ? undefined : new Date(row.retired_at),
    revokedAt: row.revoked_at === null ? undefined : new Date(row.revoked_at),
  };
}
