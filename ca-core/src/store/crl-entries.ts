// What stands on a CRL, read page by page so that a CRL of a million entries is made in little memory. Each page is what
// was committed when it was read: a change that comes while the pages are read stands behind the position from which the
// next CRL starts.

import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { Database, StatusChangeTable } from './database.ts';
import { compileQuery, slot } from './queries.ts';
import type { StoreReader } from './statements.ts';

/** A revoked certificate. Times are epoch milliseconds. */
export type RevokedCertificate = {
  /** Lower-case hexadecimal. */
  readonly serialNumber: string;
  readonly revokedAt: number;
  /** CRLReason, RFC 5280 §5.3.1. */
  readonly reason: number;
  readonly invalidityDate: number | null;
};

/** A change of status, and what the certificate has become since; undefined: it was released. */
export type ChangedCertificate = {
  readonly position: number;
  readonly serialNumber: string;
  readonly state: StatusChangeTable['state'];
  readonly at: number;
  readonly revocation: RevokedCertificate | undefined;
};

/** Which certificates a CRL is about: all of an authority, or those that name one CRL. */
export type CrlCoverage =
  | { readonly kind: 'authority'; readonly authority: string }
  | { readonly kind: 'scope'; readonly scope: string };

/** Certificates that ended before are left out, unless they were revoked after it. Epoch milliseconds. */
type ListedSince = number;

const columns = ['serial_number', 'revoked_at', 'reason', 'invalidity_date'] as const;

const isStillListed = (expression: ExpressionBuilder<Database, 'revocations'>): Expression<SqlBool> =>
  expression.or([
    expression('not_after', '>=', slot<ListedSince>(2)),
    expression('revoked_at', '>=', slot<ListedSince>(3)),
  ]);

const selectOfAuthority = compileQuery((database) =>
  database
    .selectFrom('revocations')
    .select(columns)
    .where('authority', '=', slot<string>(0))
    .where('serial_number', '>', slot<string>(1))
    .where(isStillListed)
    .orderBy('serial_number')
    .limit(slot<number>(4)),
);

const selectOfScope = compileQuery((database) =>
  database
    .selectFrom('revocations')
    .select(columns)
    .where('crl_scope', '=', slot<string>(0))
    .where('serial_number', '>', slot<string>(1))
    .where(isStillListed)
    .orderBy('serial_number')
    .limit(slot<number>(4)),
);

const changes = (column: 'authority' | 'crl_scope') =>
  compileQuery((database) =>
    database
      .selectFrom('status_changes')
      .leftJoin('revocations', 'revocations.serial_number', 'status_changes.serial_number')
      .select(['status_changes.position', 'status_changes.serial_number', 'status_changes.state', 'status_changes.at'])
      .select(['revocations.revoked_at', 'revocations.reason', 'revocations.invalidity_date'])
      .where(`status_changes.${column}`, '=', slot<string>(0))
      .where('status_changes.position', '>', slot<number>(1))
      .orderBy('status_changes.position')
      .limit(slot<number>(2)),
  );

const selectChangesOfAuthority = changes('authority');
const selectChangesOfScope = changes('crl_scope');

const selectChangedScopes = compileQuery((database) =>
  database
    .selectFrom('status_changes')
    .select(['position', 'authority', 'crl_scope'])
    .where('position', '>', slot<number>(0))
    .orderBy('position')
    .limit(slot<number>(1)),
);

const selectAnyChange = (column: 'authority' | 'crl_scope') =>
  compileQuery((database) =>
    database
      .selectFrom('status_changes')
      .select('position')
      .where(column, '=', slot<string>(0))
      .where('position', '>', slot<number>(1))
      .limit(slot<number>(2)),
  );

const selectAnyOfAuthority = selectAnyChange('authority');
const selectAnyOfScope = selectAnyChange('crl_scope');

const selectFirstPosition = compileQuery((database) =>
  database.selectFrom('status_changes').select((select) => select.fn.min<number | null>('position').as('position')),
);

/**
 * Revoked certificates in the order of serial numbers, behind one of them ('' for the first page). Throws CoreError
 * `unavailable`.
 *
 * @param listedSince epoch milliseconds; certificates that ended before are left out, unless they were revoked after it
 */
export function listRevoked(
  store: StoreReader,
  coverage: CrlCoverage,
  afterSerialNumber: string,
  listedSince: ListedSince,
  limit: number,
): readonly RevokedCertificate[] {
  const rows =
    coverage.kind === 'authority'
      ? store.all(selectOfAuthority, coverage.authority, afterSerialNumber, listedSince, listedSince, limit)
      : store.all(selectOfScope, coverage.scope, afterSerialNumber, listedSince, listedSince, limit);
  return rows.map((row) => ({
    serialNumber: row.serial_number,
    revokedAt: row.revoked_at,
    reason: row.reason,
    invalidityDate: row.invalidity_date,
  }));
}

/** Changes of status behind a position, in their order. Throws CoreError `unavailable`. */
export function listChangesOf(
  store: StoreReader,
  coverage: CrlCoverage,
  afterPosition: number,
  limit: number,
): readonly ChangedCertificate[] {
  const rows =
    coverage.kind === 'authority'
      ? store.all(selectChangesOfAuthority, coverage.authority, afterPosition, limit)
      : store.all(selectChangesOfScope, coverage.scope, afterPosition, limit);
  return rows.map((row) => {
    const { position, serial_number: serialNumber, state, at, revoked_at: revokedAt, reason } = row;
    const revocation =
      revokedAt === null || reason === null
        ? undefined
        : { serialNumber, revokedAt, reason, invalidityDate: row.invalidity_date };
    return { position, serialNumber, state, at, revocation };
  });
}

/** Whether anything has changed behind a position. Throws CoreError `unavailable`. */
export function hasChanged(store: StoreReader, coverage: CrlCoverage, afterPosition: number): boolean {
  return coverage.kind === 'authority'
    ? store.one(selectAnyOfAuthority, coverage.authority, afterPosition, 1) !== undefined
    : store.one(selectAnyOfScope, coverage.scope, afterPosition, 1) !== undefined;
}

/** To which CRLs changes behind a position belong, in the order of changes. Throws CoreError `unavailable`. */
export function listChangedScopes(
  store: StoreReader,
  afterPosition: number,
  limit: number,
): readonly { readonly position: number; readonly authority: string; readonly crlScope: string }[] {
  return store
    .all(selectChangedScopes, afterPosition, limit)
    .map((row) => ({ position: row.position, authority: row.authority, crlScope: row.crl_scope }));
}

/** The first change that was not pruned. Throws CoreError `unavailable`. */
export function firstStatusPosition(store: StoreReader): number | undefined {
  return store.one(selectFirstPosition)?.position ?? undefined;
}
