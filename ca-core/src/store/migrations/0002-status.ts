// Status that is published: in which CRL a certificate belongs, what changed in which order, which CRLs were signed, and
// revocations of many at once.

import type { Migration } from '@gatehouse/runtime/database/migrate';
import { type Kysely, sql } from 'kysely';

const withoutRowid = sql`strict, without rowid`;

const strict = sql`strict`;

/** Adds what CRLs and OCSP are made from. */
export const status: Migration = {
  up: async (database) => {
    await addScopes(database);
    await createStatusChanges(database);
    await createCrls(database);
    await createBulkRevocations(database);
  },
};

async function addScopes(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  // Empty: what was issued before names no CRL, and is on the complete one.
  await schema
    .alterTable('certificates')
    .addColumn('crl_scope', 'text', (column) => column.notNull().defaultTo(''))
    .execute();
  // Copied from the certificate, so that a CRL of a million entries is made from this table alone.
  const revocations = schema.alterTable('revocations');
  await revocations.addColumn('authority', 'text', (column) => column.notNull().defaultTo('')).execute();
  await revocations.addColumn('crl_scope', 'text', (column) => column.notNull().defaultTo('')).execute();
  await revocations.addColumn('not_after', 'integer', (column) => column.notNull().defaultTo(0)).execute();
  await sql`update "revocations" set ("authority", "crl_scope", "not_after") =
    (select "authority", "crl_scope", "not_after" from "certificates"
     where "certificates"."serial_number" = "revocations"."serial_number")`.execute(database);
  await schema.createIndex('revocations_authority').on('revocations').columns(['authority', 'serial_number']).execute();
  await schema.createIndex('revocations_scope').on('revocations').columns(['crl_scope', 'serial_number']).execute();
}

async function createStatusChanges(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema
    .createTable('status_changes')
    // Never the same twice, also when the newest rows are gone.
    .addColumn('position', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('serial_number', 'text', (column) => column.notNull())
    .addColumn('authority', 'text', (column) => column.notNull())
    .addColumn('crl_scope', 'text', (column) => column.notNull())
    .addColumn('not_after', 'integer', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('at', 'integer', (column) => column.notNull())
    .modifyEnd(strict)
    .execute();
  await schema.createIndex('status_changes_scope').on('status_changes').columns(['crl_scope', 'position']).execute();
  await schema
    .createIndex('status_changes_authority')
    .on('status_changes')
    .columns(['authority', 'position'])
    .execute();
}

async function createCrls(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema
    .createTable('crl_numbers')
    .addColumn('scope', 'text', (column) => column.primaryKey().notNull())
    .addColumn('number', 'integer', (column) => column.notNull())
    .modifyEnd(withoutRowid)
    .execute();
  await schema
    .createTable('crls')
    .addColumn('scope', 'text', (column) => column.notNull())
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('base_number', 'integer')
    .addColumn('this_update', 'integer', (column) => column.notNull())
    .addColumn('next_update', 'integer', (column) => column.notNull())
    .addColumn('change_position', 'integer', (column) => column.notNull())
    .addColumn('entries', 'integer', (column) => column.notNull())
    .addColumn('size', 'integer', (column) => column.notNull())
    .addColumn('sha256', 'blob', (column) => column.notNull())
    .addPrimaryKeyConstraint('crls_key', ['scope', 'number'])
    .modifyEnd(withoutRowid)
    .execute();
}

async function createBulkRevocations(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('bulk_revocations')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('idempotency_key', 'text', (column) => column.notNull().unique())
    .addColumn('query', 'text', (column) => column.notNull())
    .addColumn('reason', 'integer', (column) => column.notNull())
    .addColumn('invalidity_date', 'integer')
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('matching', 'integer', (column) => column.notNull())
    .addColumn('changed', 'integer', (column) => column.notNull())
    .addColumn('passed_over', 'integer', (column) => column.notNull())
    .addColumn('last_position', 'integer', (column) => column.notNull())
    .addColumn('end_position', 'integer', (column) => column.notNull())
    .addColumn('started_at', 'integer', (column) => column.notNull())
    .addColumn('ended_at', 'integer')
    .addColumn('actor', 'text', (column) => column.notNull())
    .modifyEnd(withoutRowid)
    .execute();
}
