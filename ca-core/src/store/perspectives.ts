// Perspectives as rows: their labels are the operator's, their address and build their own. The registry holds the living
// view of them.
// A row is never deleted: names stand in statements and in the audit log for good, and a name that was disabled is not
// given out again.

import { CoreError } from '@gatehouse/proto/core-error';
import type { Selectable } from 'kysely';
import type { PerspectiveTable } from './database.ts';
import { compileInsert, compileQuery, slot } from './queries.ts';
import type { StoreReader } from './statements.ts';
import type { WriteOperation } from './write-set.ts';

/** What a perspective is registered with. */
export type NewPerspective = {
  readonly name: string;
  /** Where it stands, in the operator's words. */
  readonly site: string;
  /** Service region of a Regional Internet Registry; empty in private networks. */
  readonly rir: string;
  /** Degrees, where its traffic meets its provider; both or neither. */
  readonly latitude: number | undefined;
  readonly longitude: number | undefined;
  readonly createdAt: Date;
};

/** A perspective as stored. */
export type StoredPerspective = NewPerspective & {
  /** `host:port`, as it registered it; empty before. */
  readonly address: string;
  /** Version of its program, as it registered it; empty before. */
  readonly build: string;
  readonly isDisabled: boolean;
  /** When its newest credential ends; nothing before it joined. */
  readonly credentialExpiresAt: Date | undefined;
};

// A name that exists is found by the row that is not inserted.
const insert = `${
  compileInsert('perspectives', [
    'name',
    'site',
    'rir',
    'latitude',
    'longitude',
    'address',
    'build',
    'is_disabled',
    'created_at',
  ]).sql
} on conflict do nothing`;

const selectAll = compileQuery((database) => database.selectFrom('perspectives').selectAll().orderBy('name'));

const disable = compileQuery((database) =>
  database
    .updateTable('perspectives')
    .set({ is_disabled: slot(0) })
    .where('name', '=', slot<string>(1)),
);

const setEndpoint = compileQuery((database) =>
  database
    .updateTable('perspectives')
    .set({ address: slot(0), build: slot(1) })
    .where('name', '=', slot<string>(2))
    .where('is_disabled', '=', slot<number>(3)),
);

const setCredentialExpiry = compileQuery((database) =>
  database
    .updateTable('perspectives')
    .set({ credential_expires_at: slot(0) })
    .where('name', '=', slot<string>(1)),
);

/** Registers a perspective. Fails with CoreError `conflict` when the name is taken. */
export function insertPerspective(perspective: NewPerspective): WriteOperation {
  const { name, site, rir, latitude, longitude, createdAt } = perspective;
  return {
    sql: insert,
    parameters: [name, site, rir, latitude ?? null, longitude ?? null, '', '', 0, createdAt.getTime()],
    expects: { rows: 1, otherwise: () => new CoreError('conflict', `there is a perspective ${name} already`) },
  };
}

/** Shuts a perspective out. Fails with CoreError `not-found`. */
export function disablePerspective(name: string): WriteOperation {
  return { sql: disable.sql, parameters: [1, name], expects: existing(name) };
}

/**
 * Notes where a perspective is reached and what runs there. Fails with CoreError `unauthorized` when it is unknown or was
 * disabled meanwhile.
 */
export function writePerspectiveEndpoint(name: string, address: string, build: string): WriteOperation {
  return {
    sql: setEndpoint.sql,
    parameters: [address, build, name, 0],
    expects: { rows: 1, otherwise: () => new CoreError('unauthorized', `perspective ${name} is disabled`) },
  };
}

/** Notes when the newest credential of a perspective ends. Fails with CoreError `not-found`. */
export function writePerspectiveCredentialExpiry(name: string, expiresAt: Date): WriteOperation {
  return { sql: setCredentialExpiry.sql, parameters: [expiresAt.getTime(), name], expects: existing(name) };
}

/** All perspectives by name: tens of them, not thousands. Throws CoreError `unavailable`. */
export function listPerspectives(store: StoreReader): readonly StoredPerspective[] {
  return store.all(selectAll).map(toPerspective);
}

function existing(name: string): { readonly rows: number; otherwise(): Error } {
  return { rows: 1, otherwise: () => new CoreError('not-found', `there is no perspective ${name}`) };
}

function toPerspective(row: Selectable<PerspectiveTable>): StoredPerspective {
  return {
    name: row.name,
    site: row.site,
    rir: row.rir,
    latitude: row.latitude ?? undefined,
    longitude: row.longitude ?? undefined,
    createdAt: new Date(row.created_at),
    address: row.address,
    build: row.build,
    isDisabled: row.is_disabled !== 0,
    credentialExpiresAt: row.credential_expires_at === null ? undefined : new Date(row.credential_expires_at),
  };
}
