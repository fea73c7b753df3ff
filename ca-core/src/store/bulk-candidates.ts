// Walks through all certificates that a selection means, oldest first, slice by slice: each examines a bounded number of
// rows, and where a walk stands is one position, so that it can be left and taken up again after a restart.
// No slice reads a certificate itself: only the columns in front of it.

import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Database, RevocationState } from './database.ts';
import { guardReads } from './failure.ts';
import { compileQuery, slot } from './queries.ts';
import type { StoreReader } from './statements.ts';

/**
 * Which certificates. All conditions that are set must hold. Credentials of the bridge are never meant, nor certificates
 * of the keep's own keys, which no RA enrolled: the CA goes on signing OCSP while it revokes.
 */
export type CertificateSelection = {
  readonly profile?: string | undefined;
  readonly registrationAuthority?: string | undefined;
  readonly requesterId?: string | undefined;
  /** Name of the issuing authority. */
  readonly authority?: string | undefined;
  /** Issued at this moment or later. */
  readonly issuedAfter?: Date | undefined;
  /** Issued before this moment. */
  readonly issuedBefore?: Date | undefined;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly keyFingerprint?: Uint8Array | undefined;
};

/** What a walk goes through. */
export type Walk = {
  readonly selection: CertificateSelection;
  /** The last certificate that is meant: what is issued later is not. */
  readonly endPosition: number;
  /** Certificates that had ended at this moment are left out. */
  readonly unexpiredAt: Date;
};

/** A certificate that is meant. */
export type Candidate = {
  readonly position: number;
  readonly serialNumber: string;
  readonly profile: string;
  readonly registrationAuthority: string;
  readonly keyFingerprint: Uint8Array;
  readonly notAfter: Date;
  /** Nothing when it is neither revoked nor held. */
  readonly standing: RevocationState | undefined;
};

/** A part of a walk. */
export type Slice = {
  readonly candidates: readonly Candidate[];
  /** Where the next slice begins behind. */
  readonly lastPosition: number;
  /** There is nothing behind it. */
  readonly isLast: boolean;
};

/** A place in the order of the walk: oldest first; within one millisecond, the first one first. */
type Place = { readonly issued_at: number; readonly position: number };

const selectPlace = compileQuery((database) =>
  database.selectFrom('certificates').select(['issued_at', 'position']).where('position', '=', slot<number>(0)),
);

const selectLastPosition = compileQuery((database) =>
  database.selectFrom('certificates').select('position').orderBy('position', 'desc').limit(slot<number>(0)),
);

/** Position of the certificate that was recorded last; 0 before the first. Throws CoreError `unavailable`. */
export function lastCertificatePosition(store: StoreReader): number {
  return store.one(selectLastPosition, 1)?.position ?? 0;
}

/**
 * The next part of a walk.
 *
 * @param afterPosition where the last slice ended; 0 begins
 * @param limit how many rows are examined at most
 * @throws {CoreError} `unavailable` when the store cannot be read
 */
export async function readSlice(
  store: StoreReader & { readonly kysely: Kysely<Database> },
  walk: Walk,
  afterPosition: number,
  limit: number,
): Promise<Slice> {
  const after = afterPosition === 0 ? undefined : store.one(selectPlace, afterPosition);
  const places = await readPlaces(store.kysely, walk.selection, after, limit);
  const candidates = await readCandidates(store.kysely, walk, places);
  return { candidates, lastPosition: places.at(-1)?.position ?? afterPosition, isLast: places.length < limit };
}

/** The next places, out of one index alone: the most selective that the selection allows. */
async function readPlaces(
  database: Kysely<Database>,
  { keyFingerprint, registrationAuthority, issuedAfter, issuedBefore }: CertificateSelection,
  after: Place | undefined,
  limit: number,
): Promise<readonly Place[]> {
  const always: RawBuilder<SqlBool>[] = [];
  // With a key, the RA is a condition on the certificate.
  if (keyFingerprint !== undefined) always.push(sql`substr(key_fingerprint, 1, 8) = ${keyFingerprint.slice(0, 8)}`);
  else if (registrationAuthority !== undefined) always.push(sql`registration_authority = ${registrationAuthority}`);
  if (issuedBefore !== undefined) always.push(sql`issued_at < ${issuedBefore.getTime()}`);

  const read = async (conditions: readonly RawBuilder<SqlBool>[], rows: number): Promise<readonly Place[]> => {
    const all = [...always, ...conditions];
    const where = all.length === 0 ? sql`` : sql`where ${sql.join(all, sql` and `)}`;
    const query = sql<Place>`select issued_at, position from certificates ${where}
      order by issued_at, position limit ${rows}`;
    return (await guardReads(query.execute(database))).rows;
  };
  if (after === undefined) {
    return await read(issuedAfter === undefined ? [] : [sql`issued_at >= ${issuedAfter.getTime()}`], limit);
  }
  // Two searches: a comparison of both at once would pass all places of the same millisecond again, and after an import
  // these may be very many.
  const { issued_at: issuedAt, position } = after;
  const same = await read([sql`issued_at = ${issuedAt}`, sql`position > ${position}`], limit);
  if (same.length === limit) return same;
  return [...same, ...(await read([sql`issued_at > ${issuedAt}`], limit - same.length))];
}

/** The certificates at these places that are meant. */
async function readCandidates(
  database: Kysely<Database>,
  { selection, endPosition, unexpiredAt }: Walk,
  places: readonly Place[],
): Promise<readonly Candidate[]> {
  const positions = JSON.stringify(places.map(({ position }) => position));
  // SQLite carries a cross join out in the order in which it is written: the planner cannot walk an index of all
  // instead.
  let query = database
    .selectFrom(sql<{ value: number }>`json_each(${positions})`.as('place'))
    .crossJoin('certificates')
    .leftJoin('revocations', 'revocations.serial_number', 'certificates.serial_number')
    .select(['certificates.position', 'certificates.serial_number', 'certificates.profile', 'revocations.state'])
    .select(['certificates.registration_authority', 'certificates.key_fingerprint', 'certificates.not_after'])
    .whereRef('certificates.position', '=', 'place.value')
    .where('certificates.position', '<=', endPosition)
    .where('certificates.authority', '<>', 'service')
    .where('registration_authority', '<>', '')
    .where('certificates.not_after', '>=', unexpiredAt.getTime());
  const { authority, profile, registrationAuthority, requesterId, keyFingerprint } = selection;
  if (authority !== undefined) query = query.where('certificates.authority', '=', authority);
  if (profile !== undefined) query = query.where('certificates.profile', '=', profile);
  if (registrationAuthority !== undefined) query = query.where('registration_authority', '=', registrationAuthority);
  if (requesterId !== undefined) query = query.where('requester_id', '=', requesterId);
  if (keyFingerprint !== undefined) query = query.where('key_fingerprint', '=', keyFingerprint);
  const rows = await guardReads(query.orderBy('issued_at').orderBy('certificates.position').execute());
  return rows.map((row) => ({
    position: row.position,
    serialNumber: row.serial_number,
    profile: row.profile,
    registrationAuthority: row.registration_authority,
    keyFingerprint: row.key_fingerprint,
    notAfter: new Date(row.not_after),
    standing: row.state ?? undefined,
  }));
}
