// Perspectives, the keys with which they and the gates sign statements, and the evidence that was verified at issuance.

import type { Migration } from '@gatehouse/runtime/database/migrate';
import { type Kysely, sql } from 'kysely';

const withoutRowid = sql`strict, without rowid`;

/** Adds what the verification of signed statements stands on. */
export const domainValidation: Migration = {
  up: async (database) => {
    await createPerspectives(database);
    await createEvidence(database);
  },
};

async function createPerspectives({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('perspectives')
    .addColumn('name', 'text', (column) => column.primaryKey().notNull())
    .addColumn('site', 'text', (column) => column.notNull())
    .addColumn('rir', 'text', (column) => column.notNull())
    .addColumn('latitude', 'real')
    .addColumn('longitude', 'real')
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('build', 'text', (column) => column.notNull())
    .addColumn('is_disabled', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'integer', (column) => column.notNull())
    .addColumn('credential_expires_at', 'integer')
    .modifyEnd(withoutRowid)
    .execute();
  await schema
    .createTable('signing_keys')
    // RFC 7638 thumbprint, base64url.
    .addColumn('key_id', 'text', (column) => column.primaryKey().notNull())
    // URI of the caller that registered it.
    .addColumn('holder', 'text', (column) => column.notNull())
    .addColumn('subject_public_key_info', 'blob', (column) => column.notNull())
    .addColumn('active_from', 'integer', (column) => column.notNull())
    .addColumn('retired_at', 'integer')
    .addColumn('revoked_at', 'integer')
    .addColumn('reason', 'text', (column) => column.notNull())
    .modifyEnd(withoutRowid)
    .execute();
  await schema.createIndex('signing_keys_holder').on('signing_keys').columns(['holder', 'active_from']).execute();
  // A token of a perspective stands in the same table as those of RAs: empty for those that were made before.
  await schema
    .alterTable('join_tokens')
    .addColumn('kind', 'text', (column) => column.notNull().defaultTo('gate'))
    .execute();
}

async function createEvidence({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('certificate_evidence')
    .addColumn('serial_number', 'text', (column) => column.primaryKey().notNull())
    // RecordedEvidence in protobuf, without the keys, as a Zstandard frame (RFC 8878).
    .addColumn('evidence', 'blob', (column) => column.notNull())
    .addColumn('recorded_at', 'integer', (column) => column.notNull())
    .addColumn('kept_until', 'integer', (column) => column.notNull())
    // Rows are large and serial numbers come in no order: clustered by them, each insertion would move others.
    .modifyEnd(sql`strict`)
    .execute();
  await schema.createIndex('certificate_evidence_end').on('certificate_evidence').column('kept_until').execute();
}
