// Certificates that this directory issued, RFC 8555 §7.4.2: kept for their owners, for renewal information (RFC 9773) and
// for revocation. The keep has the truth about each; what stands here grants nothing, and a row is never taken for proof.

import { slot } from '@gatehouse/runtime/database/queries';
import type { StateOperation, StateStore } from '@gatehouse/runtime/database/state-store';
import { type Selectable, sql } from 'kysely';
import type { CertificateTable, OrderStatus } from './database.ts';
import { compileInsert, compileQuery } from './queries.ts';

/** A certificate that is to be stored. */
export type NewCertificate = {
  /** Unguessable, base64url: the last part of its URL. */
  readonly id: string;
  readonly accountId: string;
  readonly orderId: string;
  /** Lower-case hexadecimal. */
  readonly serialNumber: string;
  /** RFC 9773 §4.1. */
  readonly certId: string;
  /** DER. */
  readonly certificate: Uint8Array;
  /** Issuing CA first, trust anchor last; JSON list of base64 DER. */
  readonly chain: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
};

/** A certificate as stored. */
export type StoredCertificate = NewCertificate & {
  /** When it was revoked through this gate, or the gate learned of it. */
  readonly revokedAt: Date | undefined;
  /** Id of the certificate that replaced it, RFC 9773 §5. */
  readonly replacedBy: string | undefined;
};

type Row = Selectable<CertificateTable>;

const insert = compileInsert('certificates', [
  'id',
  'account_id',
  'order_id',
  'serial_number',
  'cert_id',
  'certificate',
  'chain',
  'not_before',
  'not_after',
]);

const select = compileQuery((database) =>
  database.selectFrom('certificates').selectAll().where('id', '=', slot<string>(0)),
);

const selectByCertId = compileQuery((database) =>
  database.selectFrom('certificates').selectAll().where('cert_id', '=', slot<string>(0)),
);

const selectBySerialNumber = compileQuery((database) =>
  database.selectFrom('certificates').selectAll().where('serial_number', '=', slot<string>(0)),
);

const markRevokedSql = compileQuery((database) =>
  database
    .updateTable('certificates')
    .set({ revoked_at: slot<number>(0) })
    .where('serial_number', '=', slot<string>(1))
    .where('revoked_at', 'is', null),
);

const markReplacedSql = compileQuery((database) =>
  database
    .updateTable('certificates')
    .set({ replaced_by: slot<string>(0) })
    .where('cert_id', '=', slot<string>(1))
    .where('account_id', '=', slot<string>(2)),
);

const selectReplacing = compileQuery((database) =>
  database
    .selectFrom('orders')
    .select(['id', 'status', 'expires_at'])
    .where('replaces', '=', slot<string>(0))
    .where('status', '<>', sql.lit<OrderStatus>('invalid'))
    .limit(sql.lit(1)),
);

/** Stores a certificate. Fails with DatabaseError `unique` when its order has one already. */
export function insertCertificate(certificate: NewCertificate): StateOperation {
  return {
    sql: insert.sql,
    parameters: [
      certificate.id,
      certificate.accountId,
      certificate.orderId,
      certificate.serialNumber,
      certificate.certId,
      certificate.certificate,
      certificate.chain,
      certificate.notBefore.getTime(),
      certificate.notAfter.getTime(),
    ],
  };
}

/** Remembers that a certificate was revoked; the first time stays. */
export function markRevoked(serialNumber: string, at: Date): StateOperation {
  return { sql: markRevokedSql.sql, parameters: [at.getTime(), serialNumber] };
}

/** RFC 9773 §5: remembers which certificate came in the place of one of the same account. */
export function markReplaced(certId: string, accountId: string, by: string): StateOperation {
  return { sql: markReplacedSql.sql, parameters: [by, certId, accountId] };
}

/** The certificate with this id. */
export async function readCertificateById(store: StateStore, id: string): Promise<StoredCertificate | undefined> {
  return toCertificate(await store.one<Row>(select, id));
}

/** The certificate with this identifier of RFC 9773 §4.1. */
export async function readCertificateByCertId(
  store: StateStore,
  certId: string,
): Promise<StoredCertificate | undefined> {
  return toCertificate(await store.one<Row>(selectByCertId, certId));
}

/** The certificate with this serial number, lower-case hexadecimal. */
export async function readCertificateBySerialNumber(
  store: StateStore,
  serialNumber: string,
): Promise<StoredCertificate | undefined> {
  return toCertificate(await store.one<Row>(selectBySerialNumber, serialNumber));
}

/** The order that replaces a certificate and is not invalid, RFC 9773 §5. */
export async function findReplacingOrder(
  store: StateStore,
  certId: string,
): Promise<{ readonly id: string; readonly status: OrderStatus; readonly expiresAt: Date } | undefined> {
  const row = await store.one(selectReplacing, certId);
  return row === undefined ? undefined : { id: row.id, status: row.status, expiresAt: new Date(row.expires_at) };
}

function toCertificate(row: Row | undefined): StoredCertificate | undefined {
  if (row === undefined) return undefined;
  return {
    id: row.id,
    accountId: row.account_id,
    orderId: row.order_id,
    serialNumber: row.serial_number,
    certId: row.cert_id,
    certificate: row.certificate,
    chain: row.chain,
    notBefore: new Date(row.not_before),
    notAfter: new Date(row.not_after),
    revokedAt: row.revoked_at === null ? undefined : new Date(row.revoked_at),
    replacedBy: row.replaced_by ?? undefined,
  };
}
