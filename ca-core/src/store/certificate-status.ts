// How certificates stand, as the status thread reads it: small rows in the order of issue or of change, and single ones.
// It reads what is committed and nothing else; what is to be said of a certificate is decided elsewhere.

import type { Selectable } from 'kysely';
import type { CertificateTable, RevocationTable } from './database.ts';
import { compileQuery, slot } from './queries.ts';
import type { StoreReader } from './statements.ts';

/** A certificate and how it stands. */
export type CertificateStatusRecord = {
  readonly authority: string;
  /** Lower-case hexadecimal. */
  readonly serialNumber: string;
  readonly profile: string;
  /** CRL that it names; empty: none. */
  readonly crlScope: string;
  /** Epoch milliseconds. */
  readonly notAfter: number;
  /** Set when it is revoked or held. */
  readonly revocation: { readonly reason: number; readonly revokedAt: number } | undefined;
};

/** One of a list, with the position that stands for it there. */
export type PositionedStatus = CertificateStatusRecord & { readonly position: number };

type StatusRow = Pick<
  Selectable<CertificateTable>,
  'authority' | 'serial_number' | 'profile' | 'crl_scope' | 'not_after'
> & {
  readonly reason: RevocationTable['reason'] | null;
  readonly revoked_at: RevocationTable['revoked_at'] | null;
};

const certificateColumns = [
  'certificates.authority',
  'certificates.serial_number',
  'certificates.profile',
  'certificates.crl_scope',
  'certificates.not_after',
] as const;

const revocationColumns = ['revocations.reason', 'revocations.revoked_at'] as const;

const selectIssued = compileQuery((database) =>
  database
    .selectFrom('certificates')
    .leftJoin('revocations', 'revocations.serial_number', 'certificates.serial_number')
    .select('certificates.position')
    .select(certificateColumns)
    .select(revocationColumns)
    .where('certificates.position', '>', slot<number>(0))
    .orderBy('certificates.position')
    .limit(slot<number>(1)),
);

const selectChanged = compileQuery((database) =>
  database
    .selectFrom('status_changes')
    .innerJoin('certificates', 'certificates.serial_number', 'status_changes.serial_number')
    .leftJoin('revocations', 'revocations.serial_number', 'status_changes.serial_number')
    .select('status_changes.position')
    .select(certificateColumns)
    .select(revocationColumns)
    .where('status_changes.position', '>', slot<number>(0))
    .orderBy('status_changes.position')
    .limit(slot<number>(1)),
);

const selectOne = compileQuery((database) =>
  database
    .selectFrom('certificates')
    .leftJoin('revocations', 'revocations.serial_number', 'certificates.serial_number')
    .select(certificateColumns)
    .select(revocationColumns)
    .where('certificates.serial_number', '=', slot<string>(0)),
);

const selectSerialNumberAt = compileQuery((database) =>
  database.selectFrom('certificates').select('serial_number').where('position', '=', slot<number>(0)),
);

const selectChangeAt = compileQuery((database) =>
  database.selectFrom('status_changes').select('serial_number').where('position', '=', slot<number>(0)),
);

/** Certificates behind a position, in the order of issue. Throws CoreError `unavailable`. */
export function listIssued(store: StoreReader, afterPosition: number, limit: number): readonly PositionedStatus[] {
  return store.all(selectIssued, afterPosition, limit).map(toPositioned);
}

/** Certificates whose status changed behind a position, in the order of changes; as they stand now. Throws CoreError `unavailable`. */
export function listChanged(store: StoreReader, afterPosition: number, limit: number): readonly PositionedStatus[] {
  return store.all(selectChanged, afterPosition, limit).map(toPositioned);
}

/** How one certificate stands. Throws CoreError `unavailable`. */
export function findCertificateStatus(store: StoreReader, serialNumber: string): CertificateStatusRecord | undefined {
  const row = store.one(selectOne, serialNumber);
  return row === undefined ? undefined : toRecord(row);
}

/** The serial number of the certificate at a position. Throws CoreError `unavailable`. */
export function serialNumberAt(store: StoreReader, position: number): string | undefined {
  return store.one(selectSerialNumberAt, position)?.serial_number;
}

/** The serial number of the change at a position, unless it was pruned. Throws CoreError `unavailable`. */
export function changedSerialNumberAt(store: StoreReader, position: number): string | undefined {
  return store.one(selectChangeAt, position)?.serial_number;
}

function toPositioned(row: StatusRow & { readonly position: number }): PositionedStatus {
  return { ...toRecord(row), position: row.position };
}

function toRecord(row: StatusRow): CertificateStatusRecord {
  const { reason, revoked_at: revokedAt } = row;
  return {
    authority: row.authority,
    serialNumber: row.serial_number,
    profile: row.profile,
    crlScope: row.crl_scope,
    notAfter: row.not_after,
    revocation: reason === null || revokedAt === null ? undefined : { reason, revokedAt },
  };
}
