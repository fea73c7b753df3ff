// All tables of the ACME gate, on SQLite and on PostgreSQL alike. What each column means stands in database.ts.

import type { StateMigration } from '@gatehouse/runtime/database/state-store';
import { type Kysely, sql } from 'kysely';

/** Creates the tables. */
export const initial: StateMigration = {
  up: async (database, types) => {
    await createKeys(database, types);
    await createAccounts(database, types);
    await createOrders(database, types);
    await createCertificates(database, types);
    await createLimits(database, types);
  },
};

type Types = Parameters<StateMigration['up']>[1];

async function createKeys({ schema }: Kysely<unknown>, { integer, binary }: Types): Promise<void> {
  await schema
    .createTable('secrets')
    .addColumn('name', 'text', (column) => column.primaryKey().notNull())
    .addColumn('value', binary, (column) => column.notNull())
    .addColumn('created_at', integer, (column) => column.notNull())
    .execute();
  await schema
    .createTable('nonces')
    .addColumn('nonce', 'text', (column) => column.primaryKey().notNull())
    .addColumn('expires_at', integer, (column) => column.notNull())
    .execute();
  await schema.createIndex('nonces_expiry').on('nonces').column('expires_at').execute();
}

async function createAccounts({ schema }: Kysely<unknown>, { integer, binary }: Types): Promise<void> {
  await schema
    .createTable('accounts')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('url', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('jwk', 'text', (column) => column.notNull())
    .addColumn('thumbprint', 'text', (column) => column.notNull())
    .addColumn('contact', 'text', (column) => column.notNull())
    .addColumn('terms_of_service_agreed', integer, (column) => column.notNull())
    .addColumn('external_account', 'text')
    .addColumn('external_account_binding', 'text')
    .addColumn('created_at', integer, (column) => column.notNull())
    .addColumn('created_from', 'text', (column) => column.notNull())
    .addColumn('deactivated_at', integer)
    .execute();
  await schema.createIndex('accounts_created').on('accounts').columns(['created_at', 'id']).execute();
  await schema
    .createTable('account_keys')
    // Of two accounts that race for one key, one is made.
    .addColumn('thumbprint', 'text', (column) => column.primaryKey().notNull())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('key_change', 'text')
    .addColumn('created_at', integer, (column) => column.notNull())
    .addColumn('replaced_at', integer)
    .execute();
  await schema.createIndex('account_keys_account').on('account_keys').columns(['account_id', 'created_at']).execute();
  await schema
    .createTable('external_account_keys')
    .addColumn('key_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('secret', binary, (column) => column.notNull())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('policy', 'text', (column) => column.notNull())
    .addColumn('is_single_use', integer, (column) => column.notNull())
    .addColumn('maximum_accounts', integer)
    .addColumn('accounts', integer, (column) => column.notNull())
    .addColumn('created_at', integer, (column) => column.notNull())
    .addColumn('expires_at', integer)
    .addColumn('revoked_at', integer)
    .execute();
}

async function createOrders({ schema }: Kysely<unknown>, { integer, binary, counter }: Types): Promise<void> {
  await schema
    .createTable('orders')
    .addColumn('position', counter.type, counter.build)
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('identifiers', 'text', (column) => column.notNull())
    .addColumn('identifiers_digest', 'text', (column) => column.notNull())
    .addColumn('profile', 'text', (column) => column.notNull())
    .addColumn('not_before', integer)
    .addColumn('not_after', integer)
    .addColumn('authorizations', 'text', (column) => column.notNull())
    .addColumn('pending_authorizations', integer, (column) => column.notNull())
    .addColumn('replaces', 'text')
    .addColumn('error', 'text')
    .addColumn('created_at', integer, (column) => column.notNull())
    .addColumn('expires_at', integer, (column) => column.notNull())
    .addColumn('finalize', 'text')
    .addColumn('finalize_jwk', 'text')
    .addColumn('certification_request', binary)
    .addColumn('certificate_id', 'text')
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', integer)
    .addColumn('attempts', integer, (column) => column.notNull())
    .addColumn('next_attempt_at', integer)
    .execute();
  await schema.createIndex('orders_account').on('orders').columns(['account_id', 'position']).execute();
  await schema.createIndex('orders_expiry').on('orders').columns(['expires_at']).execute();
  await schema
    .createIndex('orders_processing')
    .on('orders')
    .column('lease_until')
    .where(sql.ref('status'), '=', sql.lit('processing'))
    .execute();
  // RFC 9773 §5: a certificate is replaced by one order that is not invalid.
  await schema
    .createIndex('orders_replaces')
    .on('orders')
    .column('replaces')
    .unique()
    .where(sql.ref('status'), '<>', sql.lit('invalid'))
    .execute();
  await schema
    .createTable('authorizations')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('order_id', 'text')
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('identifier_type', 'text', (column) => column.notNull())
    .addColumn('identifier_value', 'text', (column) => column.notNull())
    .addColumn('is_wildcard', integer, (column) => column.notNull())
    .addColumn('profile', 'text', (column) => column.notNull())
    .addColumn('token', 'text', (column) => column.notNull())
    .addColumn('methods', 'text', (column) => column.notNull())
    .addColumn('method', 'text')
    .addColumn('thumbprint', 'text')
    .addColumn('validated_at', integer)
    .addColumn('error', 'text')
    .addColumn('external_account', 'text')
    .addColumn('created_at', integer, (column) => column.notNull())
    .addColumn('expires_at', integer, (column) => column.notNull())
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', integer)
    .execute();
  await schema
    .createIndex('authorizations_valid')
    .on('authorizations')
    .columns(['account_id', 'identifier_value', 'expires_at'])
    .where(sql.ref('status'), '=', sql.lit('valid'))
    .execute();
  await schema.createIndex('authorizations_expiry').on('authorizations').column('expires_at').execute();
  await schema.createIndex('authorizations_order').on('authorizations').column('order_id').execute();
  await schema
    .createIndex('authorizations_processing')
    .on('authorizations')
    .column('lease_until')
    .where(sql<boolean>`"status" = 'pending' and "method" is not null`)
    .execute();
  await schema
    .createTable('statements')
    .addColumn('authorization_id', 'text', (column) => column.notNull())
    .addColumn('check', 'text', (column) => column.notNull())
    .addColumn('attempt', 'text', (column) => column.notNull())
    .addColumn('statements', 'text', (column) => column.notNull())
    .addColumn('checked_at', integer, (column) => column.notNull())
    .addColumn('good_until', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('statements_key', ['authorization_id', 'check'])
    .execute();
}

async function createCertificates({ schema }: Kysely<unknown>, { integer, binary }: Types): Promise<void> {
  await schema
    .createTable('certificates')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('account_id', 'text', (column) => column.notNull())
    // One order, one certificate.
    .addColumn('order_id', 'text', (column) => column.notNull().unique())
    .addColumn('serial_number', 'text', (column) => column.notNull().unique())
    .addColumn('cert_id', 'text', (column) => column.notNull().unique())
    .addColumn('certificate', binary, (column) => column.notNull())
    .addColumn('chain', 'text', (column) => column.notNull())
    .addColumn('not_before', integer, (column) => column.notNull())
    .addColumn('not_after', integer, (column) => column.notNull())
    .addColumn('revoked_at', integer)
    .addColumn('replaced_by', 'text')
    .execute();
  await schema.createIndex('certificates_expiry').on('certificates').column('not_after').execute();
  await schema
    .createTable('incidents')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('selector', 'text', (column) => column.notNull())
    .addColumn('explanation_url', 'text')
    .addColumn('window_start', integer, (column) => column.notNull())
    .addColumn('window_end', integer, (column) => column.notNull())
    .addColumn('created_at', integer, (column) => column.notNull())
    .addColumn('ended_at', integer)
    .execute();
}

async function createLimits({ schema }: Kysely<unknown>, { integer }: Types): Promise<void> {
  await schema
    .createTable('rate_limits')
    .addColumn('key', 'text', (column) => column.primaryKey().notNull())
    .addColumn('arrival_at', integer, (column) => column.notNull())
    .execute();
  await schema.createIndex('rate_limits_arrival').on('rate_limits').column('arrival_at').execute();
  await schema
    .createTable('paused_names')
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('failures', integer, (column) => column.notNull())
    .addColumn('paused_at', integer)
    .addColumn('last_failed_at', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('paused_names_key', ['account_id', 'name'])
    .execute();
}
