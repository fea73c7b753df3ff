// Every certificate that the core has issued: recorded once, never changed, found by serial number, key or name.
// Whether a certificate stands is not here but in its revocation, which comes with it when it is read.

import type { Requester } from '@gatehouse/proto/types';
import { type Selectable, type SqlBool, sql } from 'kysely';
import type { CertificateTable, RevocationState } from './database.ts';
import { compileInsert, compileQuery, slot } from './queries.ts';
import { toRequester } from './requester.ts';
import type { StoreReader } from './statements.ts';
import type { WriteOperation } from './write-set.ts';

/** What is recorded about a certificate when it is issued. */
export type NewCertificate = {
  /** Lower-case hexadecimal. */
  readonly serialNumber: string;
  /** Name of the issuing authority: `issuing`, `service`. */
  readonly authority: string;
  readonly profile: string;
  readonly registrationAuthority: string;
  readonly requester: Requester;
  readonly requestId: string;
  /** RFC 4514. */
  readonly subject: string;
  /**
   * By which it is found: values of its subject alternative names and common names, without their kind. Duplicates do
   * not matter.
   */
  readonly searchNames: readonly string[];
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly keyFingerprint: Uint8Array;
  /** DER. */
  readonly certificate: Uint8Array;
  /** SHA-256 of the TBSCertificate that was meant to be signed. */
  readonly tbsSha256: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly issuedAt: Date;
  /** Serial number of the certificate that it renews. */
  readonly renews?: string | undefined;
  /** CRL that its distribution point names (revocation/crl-scope.ts); empty: none. */
  readonly crlScope: string;
};

/** A certificate as recorded, and how it stands. */
export type StoredCertificate = Omit<NewCertificate, 'searchNames'> & {
  /** Set when it is revoked or held. */
  readonly revocation: StoredRevocation | undefined;
};

/** How a certificate may stand. */
export type CertificateStanding = 'valid' | 'expired' | RevocationState;

/** Why a certificate does not stand. */
export type StoredRevocation = {
  readonly state: RevocationState;
  /** CRLReason, RFC 5280 §5.3.1. */
  readonly reason: number;
  readonly revokedAt: Date;
  readonly invalidityDate: Date | undefined;
  /** URI of the caller that asked. */
  readonly actor: string;
};

/** A certificate with the columns of its revocation, if there is one. */
export type CertificateRow = Selectable<CertificateTable> & {
  readonly revocation_state: RevocationState | null;
  readonly revocation_reason: number | null;
  readonly revoked_at: number | null;
  readonly invalidity_date: number | null;
  readonly revocation_actor: string | null;
};

/** Columns of the joined revocation under names of their own. */
export const revocationColumns = [
  'revocations.state as revocation_state',
  'revocations.reason as revocation_reason',
  'revocations.revoked_at as revoked_at',
  'revocations.invalidity_date as invalidity_date',
  'revocations.actor as revocation_actor',
] as const;

const insertRow = compileInsert('certificates', [
  'serial_number',
  'authority',
  'profile',
  'registration_authority',
  'request_id',
  'not_before',
  'not_after',
  'issued_at',
  'requester_kind',
  'requester_id',
  'requester_display',
  'requester_address',
  'key_fingerprint',
  'tbs_sha256',
  'renews',
  'subject',
  'certificate',
  'crl_scope',
]);

// The row inserted last on this connection is the certificate itself: a table without rowid leaves that as it was.
const insertName = compileQuery((database) =>
  database
    .insertInto('certificate_names')
    .values({ name: slot(0), issued_at: slot(1), position: sql<number>`last_insert_rowid()` })
    .onConflict((conflict) => conflict.doNothing()),
);

const selectBySerialNumber = compileQuery((database) =>
  database
    .selectFrom('certificates')
    .leftJoin('revocations', 'revocations.serial_number', 'certificates.serial_number')
    .selectAll('certificates')
    .select(revocationColumns)
    .where('certificates.serial_number', '=', slot<string>(0)),
);

const selectCredentialKey = compileQuery((database) =>
  database
    .selectFrom('certificates')
    .select('position')
    .where('key_fingerprint', '=', slot<Uint8Array>(0))
    // A literal, not a parameter: only so can the planner use the index of credentials.
    .where(sql<SqlBool>`"authority" = 'service'`)
    .limit(slot<number>(1)),
);

const selectRenewedSuccessor = compileQuery((database) =>
  database
    .selectFrom('certificates as successor')
    .innerJoin('certificates as second', 'second.renews', 'successor.serial_number')
    .select('successor.position')
    .where('successor.renews', '=', slot<string>(0))
    .limit(slot<number>(1)),
);

/** Records a certificate; the set that holds these operations must hold its audit event too. */
export function insertCertificate(certificate: NewCertificate): readonly WriteOperation[] {
  const { requester, serialNumber } = certificate;
  const operations: WriteOperation[] = [
    {
      sql: insertRow.sql,
      parameters: [
        serialNumber,
        certificate.authority,
        certificate.profile,
        certificate.registrationAuthority,
        certificate.requestId,
        certificate.notBefore.getTime(),
        certificate.notAfter.getTime(),
        certificate.issuedAt.getTime(),
        requester.kind,
        requester.id,
        requester.display,
        requester.address,
        certificate.keyFingerprint,
        certificate.tbsSha256,
        certificate.renews ?? null,
        certificate.subject,
        certificate.certificate,
        certificate.crlScope,
      ],
    },
  ];
  for (const name of certificate.searchNames) {
    operations.push({ sql: insertName.sql, parameters: [searchKey(name), certificate.issuedAt.getTime()] });
  }
  return operations;
}

/** How a certificate stands at `now`. A revocation is what counts, also after the certificate has ended. */
export function standingOf(certificate: StoredCertificate, now: Date): CertificateStanding {
  if (certificate.revocation !== undefined) return certificate.revocation.state;
  return certificate.notAfter.getTime() < now.getTime() ? 'expired' : 'valid';
}

/**
 * The form in which names are looked up: host names compare without case, and so does the rest for a person that
 * searches.
 */
export function searchKey(name: string): string {
  return name.toLowerCase();
}

/** The certificate with this serial number (lower-case hexadecimal). Throws CoreError `unavailable`. */
export function findCertificate(store: StoreReader, serialNumber: string): StoredCertificate | undefined {
  const row = store.one(selectBySerialNumber, serialNumber);
  return row === undefined ? undefined : toStoredCertificate(row);
}

/**
 * Whether the key is or was in a credential of the service CA: of an RA, a perspective or an operator. Throws CoreError
 * `unavailable`.
 */
export function isCredentialKey(store: StoreReader, keyFingerprint: Uint8Array): boolean {
  return store.one(selectCredentialKey, keyFingerprint, 1) !== undefined;
}

/**
 * Whether a certificate that renewed this one was renewed in turn: its holder must have received it. Throws CoreError
 * `unavailable`.
 */
export function hasRenewedSuccessor(store: StoreReader, serialNumber: string): boolean {
  return store.one(selectRenewedSuccessor, serialNumber, 1) !== undefined;
}

/** The certificate in a row. */
export function toStoredCertificate(row: CertificateRow): StoredCertificate {
  return {
    serialNumber: row.serial_number,
    authority: row.authority,
    profile: row.profile,
    registrationAuthority: row.registration_authority,
    requester: toRequester(row),
    requestId: row.request_id,
    subject: row.subject,
    keyFingerprint: row.key_fingerprint,
    certificate: row.certificate,
    tbsSha256: row.tbs_sha256,
    notBefore: new Date(row.not_before),
    notAfter: new Date(row.not_after),
    issuedAt: new Date(row.issued_at),
    renews: row.renews ?? undefined,
    crlScope: row.crl_scope,
    revocation: toStoredRevocation(row),
  };
}

function toStoredRevocation(row: CertificateRow): StoredRevocation | undefined {
  if (row.revocation_state === null) return undefined;
  return {
    state: row.revocation_state,
    reason: row.revocation_reason ?? 0,
    revokedAt: new Date(row.revoked_at ?? 0),
    invalidityDate: row.invalidity_date === null ? undefined : new Date(row.invalidity_date),
    actor: row.revocation_actor ?? '',
  };
}
