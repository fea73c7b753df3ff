// The first form of the keep's database. It was applied in the field once released: never change it, add another.
// Indexes are few: one on times is appended to, but one on random values costs every enrollment a page to write, some
// 15 µs.

import type { Migration } from '@gatehouse/runtime/database/migrate';
import { type Kysely, sql } from 'kysely';

// Rows live in the tree of their key: one tree less to write for each. Strict: a column holds its type and nothing
// else.
const withoutRowid = sql`strict, without rowid`;

const strict = sql`strict`;

/** Creates all tables of the first release. */
export const initial: Migration = {
  up: async (database) => {
    await createCertificates(database);
    await createRequests(database);
    await createStanding(database);
    await createRegistry(database);
    await createAudit(database);
    await database.schema
      .createTable('meta')
      .addColumn('key', 'text', (column) => column.primaryKey())
      .addColumn('value', 'text', (column) => column.notNull())
      .modifyEnd(strict)
      .execute();
  },
};

async function createCertificates(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  // Small columns first: a scan that filters never reads the pages that a large certificate overflows to.
  await schema
    .createTable('certificates')
    .addColumn('position', 'integer', (column) => column.primaryKey())
    .addColumn('serial_number', 'text', (column) => column.notNull().unique())
    .addColumn('authority', 'text', (column) => column.notNull())
    .addColumn('profile', 'text', (column) => column.notNull())
    .addColumn('registration_authority', 'text', (column) => column.notNull())
    .addColumn('request_id', 'text', (column) => column.notNull())
    .addColumn('not_before', 'integer', (column) => column.notNull())
    .addColumn('not_after', 'integer', (column) => column.notNull())
    .addColumn('issued_at', 'integer', (column) => column.notNull())
    .addColumn('requester_kind', 'integer', (column) => column.notNull())
    .addColumn('requester_id', 'text', (column) => column.notNull())
    .addColumn('requester_display', 'text', (column) => column.notNull())
    .addColumn('requester_address', 'text', (column) => column.notNull())
    .addColumn('key_fingerprint', 'blob', (column) => column.notNull())
    .addColumn('tbs_sha256', 'blob', (column) => column.notNull())
    .addColumn('renews', 'text')
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('certificate', 'blob', (column) => column.notNull())
    .modifyEnd(strict)
    .execute();
  // SQLite ends every index with the row's position: each of these gives its certificates in the order of issue.
  await schema.createIndex('certificates_issued_at').on('certificates').column('issued_at').execute();
  await schema
    .createIndex('certificates_registration_authority')
    .on('certificates')
    .columns(['registration_authority', 'issued_at'])
    .execute();
  // The first octets find nearly as well as all of them, in an index a third of the size.
  await schema
    .createIndex('certificates_key_fingerprint')
    .on('certificates')
    .expression(sql`substr("key_fingerprint", 1, 8), "issued_at"`)
    .execute();
  // Only credentials of the bridge have an entry here: their keys are looked for at every enrollment.
  await schema
    .createIndex('certificates_credential_keys')
    .on('certificates')
    .column('key_fingerprint')
    .where(sql.ref('authority'), '=', sql.lit('service'))
    .execute();
  // Only renewals have an entry here.
  await schema
    .createIndex('certificates_renews')
    .on('certificates')
    .column('renews')
    .where(sql.ref('renews'), 'is not', null)
    .execute();
  await schema
    .createTable('certificate_names')
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('issued_at', 'integer', (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('certificate_names_key', ['name', 'issued_at', 'position'])
    .modifyEnd(withoutRowid)
    .execute();
}

async function createRequests(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema
    .createTable('requests')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('registration_authority', 'text', (column) => column.notNull())
    .addColumn('idempotency_key', 'text', (column) => column.notNull())
    .addColumn('content_sha256', 'blob', (column) => column.notNull())
    .addColumn('profile', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('serial_number', 'text')
    .addColumn('requested_at', 'integer', (column) => column.notNull())
    .addColumn('requester_kind', 'integer', (column) => column.notNull())
    .addColumn('requester_id', 'text', (column) => column.notNull())
    .addColumn('requester_display', 'text', (column) => column.notNull())
    .addColumn('requester_address', 'text', (column) => column.notNull())
    .addColumn('payload', 'blob')
    .addColumn('subject', 'text')
    .addColumn('names', 'text')
    .addColumn('decided_at', 'integer')
    .addColumn('decided_by', 'text')
    .addColumn('reason', 'text')
    .addUniqueConstraint('requests_idempotency', ['registration_authority', 'idempotency_key'])
    .modifyEnd(withoutRowid)
    .execute();
  await schema
    .createIndex('requests_pending')
    .on('requests')
    .column('requested_at')
    .where(sql.ref('state'), '=', sql.lit('pending'))
    .execute();
}

async function createStanding(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema
    .createTable('revocations')
    .addColumn('serial_number', 'text', (column) => column.primaryKey().notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('reason', 'integer', (column) => column.notNull())
    .addColumn('revoked_at', 'integer', (column) => column.notNull())
    .addColumn('invalidity_date', 'integer')
    .addColumn('actor', 'text', (column) => column.notNull())
    .modifyEnd(withoutRowid)
    .execute();
  await schema
    .createTable('intents')
    .addColumn('serial_number', 'text', (column) => column.primaryKey().notNull())
    .addColumn('tbs_sha256', 'blob', (column) => column.notNull())
    .addColumn('request_id', 'text', (column) => column.notNull())
    .addColumn('created_at', 'integer', (column) => column.notNull())
    .modifyEnd(withoutRowid)
    .execute();
  await schema
    .createTable('blocked_keys')
    .addColumn('fingerprint', 'blob', (column) => column.primaryKey().notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('blocked_at', 'integer', (column) => column.notNull())
    .modifyEnd(withoutRowid)
    .execute();
}

async function createRegistry(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema
    .createTable('registration_authorities')
    .addColumn('name', 'text', (column) => column.primaryKey().notNull())
    .addColumn('profiles', 'text', (column) => column.notNull())
    .addColumn('scope', 'text', (column) => column.notNull())
    .addColumn('maximum_validity_ms', 'integer')
    .addColumn('rate_per_second', 'real', (column) => column.notNull())
    .addColumn('is_disabled', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'integer', (column) => column.notNull())
    .addColumn('credential_expires_at', 'integer')
    .modifyEnd(strict)
    .execute();
  await schema
    .createTable('join_tokens')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('registration_authority', 'text', (column) => column.notNull())
    .addColumn('created_at', 'integer', (column) => column.notNull())
    .addColumn('expires_at', 'integer', (column) => column.notNull())
    .addColumn('used_at', 'integer')
    .modifyEnd(strict)
    .execute();
  await schema
    .createTable('operators')
    .addColumn('name', 'text', (column) => column.primaryKey().notNull())
    .addColumn('is_disabled', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'integer', (column) => column.notNull())
    .modifyEnd(strict)
    .execute();
}

async function createAudit(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema
    .createTable('audit_events')
    .addColumn('instance', 'text', (column) => column.notNull())
    .addColumn('sequence', 'integer', (column) => column.notNull())
    .addColumn('at', 'integer', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('registration_authority', 'text')
    .addColumn('requester', 'text')
    .addColumn('profile', 'text')
    .addColumn('serial_number', 'text')
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('body', 'text')
    .addColumn('mac', 'blob', (column) => column.notNull())
    .addPrimaryKeyConstraint('audit_events_key', ['instance', 'sequence'])
    .modifyEnd(withoutRowid)
    .execute();
  await schema
    .createTable('audit_heads')
    .addColumn('instance', 'text', (column) => column.primaryKey().notNull())
    .addColumn('sequence', 'integer', (column) => column.notNull())
    .addColumn('mac', 'blob', (column) => column.notNull())
    .addColumn('authenticator', 'blob', (column) => column.notNull())
    .modifyEnd(strict)
    .execute();
}
