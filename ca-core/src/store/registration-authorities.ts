// Registration authorities as rows: what each may ask for. The registry holds the living view of them.
// A row is never deleted: names stand in the audit log for good, and a name that was disabled is not given out again.

import { CoreError } from '@gatehouse/proto/core-error';
import type { Selectable } from 'kysely';
import type { NameScope } from '../enrollment/name-scope.ts';
import type { RegistrationAuthorityTable } from './database.ts';
import { compileInsert, compileQuery, slot } from './queries.ts';
import type { StoreReader } from './statements.ts';
import type { WriteOperation } from './write-set.ts';

/** What an RA is registered with. */
export type NewRegistrationAuthority = {
  readonly name: string;
  readonly profiles: readonly string[];
  readonly scope: NameScope;
  /** Nothing: the profile's. */
  readonly maximumValidityMs: number | undefined;
  /** Enrollments per second; 0 without limit. */
  readonly ratePerSecond: number;
  readonly createdAt: Date;
};

/** An RA as stored. */
export type StoredRegistrationAuthority = NewRegistrationAuthority & {
  readonly isDisabled: boolean;
  /** When its newest credential ends; nothing before it joined. */
  readonly credentialExpiresAt: Date | undefined;
};

// A name that exists is found by the row that is not inserted.
const insert = `${
  compileInsert('registration_authorities', [
    'name',
    'profiles',
    'scope',
    'maximum_validity_ms',
    'rate_per_second',
    'is_disabled',
    'created_at',
  ]).sql
} on conflict do nothing`;

const selectAll = compileQuery((database) =>
  database.selectFrom('registration_authorities').selectAll().orderBy('name'),
);

const disable = compileQuery((database) =>
  database
    .updateTable('registration_authorities')
    .set({ is_disabled: slot(0) })
    .where('name', '=', slot<string>(1)),
);

const setCredentialExpiry = compileQuery((database) =>
  database
    .updateTable('registration_authorities')
    .set({ credential_expires_at: slot(0) })
    .where('name', '=', slot<string>(1)),
);

/** Registers an RA. Fails with CoreError `conflict` when the name is taken. */
export function insertRegistrationAuthority(ra: NewRegistrationAuthority): WriteOperation {
  return {
    sql: insert,
    parameters: [
      ra.name,
      JSON.stringify(ra.profiles),
      JSON.stringify(ra.scope),
      ra.maximumValidityMs ?? null,
      ra.ratePerSecond,
      0,
      ra.createdAt.getTime(),
    ],
    expects: { rows: 1, otherwise: () => new CoreError('conflict', `there is an RA ${ra.name} already`) },
  };
}

/** Shuts an RA out. Fails with CoreError `not-found`. */
export function disableRegistrationAuthority(name: string): WriteOperation {
  return { sql: disable.sql, parameters: [1, name], expects: existing(name) };
}

/** Notes when the newest credential of an RA ends. Fails with CoreError `not-found`. */
export function writeCredentialExpiry(name: string, expiresAt: Date): WriteOperation {
  return { sql: setCredentialExpiry.sql, parameters: [expiresAt.getTime(), name], expects: existing(name) };
}

/** All RAs by name: tens of them, not thousands. Throws CoreError `unavailable`. */
export function listRegistrationAuthorities(store: StoreReader): readonly StoredRegistrationAuthority[] {
  return store.all(selectAll).map(toRegistrationAuthority);
}

function existing(name: string): { readonly rows: number; otherwise(): Error } {
  return { rows: 1, otherwise: () => new CoreError('not-found', `there is no RA ${name}`) };
}

function toRegistrationAuthority(row: Selectable<RegistrationAuthorityTable>): StoredRegistrationAuthority {
  return {
    name: row.name,
    profiles: JSON.parse(row.profiles),
    scope: JSON.parse(row.scope),
    maximumValidityMs: row.maximum_validity_ms ?? undefined,
    ratePerSecond: row.rate_per_second,
    createdAt: new Date(row.created_at),
    isDisabled: row.is_disabled !== 0,
    credentialExpiresAt: row.credential_expires_at === null ? undefined : new Date(row.credential_expires_at),
  };
}
