// Finds certificates, newest first, in slices small enough that nobody waits for a search: an enrollment gets its turn
// between two of them.
// Nothing is loaded before it is asked for, and no slice examines more rows than its bound, however few of them match.

import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import {
  type CertificateRow,
  type CertificateStanding,
  revocationColumns,
  type StoredCertificate,
  searchKey,
  toStoredCertificate,
} from './certificates.ts';
import type { Database } from './database.ts';
import { guardReads } from './failure.ts';

/** All conditions that are set must hold. */
export type CertificateFilter = {
  /** Exact subject alternative name or common name, without its kind and without regard to case. */
  readonly name?: string | undefined;
  readonly profile?: string | undefined;
  readonly registrationAuthority?: string | undefined;
  readonly requesterId?: string | undefined;
  readonly standing?: CertificateStanding | undefined;
  /** notAfter is before this moment. */
  readonly expiresBefore?: Date | undefined;
  /** notAfter is this moment or later. */
  readonly expiresAfter?: Date | undefined;
  /** Issued at this moment or later. */
  readonly issuedAfter?: Date | undefined;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly keyFingerprint?: Uint8Array | undefined;
  /** Only what comes after this certificate in the order of the answer. */
  readonly afterSerialNumber?: string | undefined;
  /** At most this many. */
  readonly limit: number;
};

/** A place in the order of the answer: newest first; within one millisecond, the last one first. */
type Place = { readonly issued_at: number; readonly position: number };

/** Rows that one slice examines at most: it is over in a few milliseconds. */
const maximumSlice = 1000;

/**
 * Streams the certificates that pass the filter, newest first.
 *
 * @param now decides what is expired
 * @throws {CoreError} `unavailable` when the store cannot be read. An `afterSerialNumber` that nobody issued gives
 * nothing.
 */
export async function* findCertificates(
  store: { readonly kysely: Kysely<Database> },
  filter: CertificateFilter,
  now: Date,
): AsyncGenerator<StoredCertificate, void, void> {
  const database = store.kysely;
  let after: Place | undefined;
  if (filter.afterSerialNumber !== undefined) {
    after = await placeOf(database, filter.afterSerialNumber);
    if (after === undefined) return;
  }
  let remaining = filter.limit;
  let size = Math.min(remaining, maximumSlice);
  while (remaining > 0) {
    const places = await readPlaces(database, filter, after, size);
    for (const row of await readMatches(database, filter, now, places, remaining)) {
      remaining -= 1;
      yield toStoredCertificate(row);
    }
    after = places.at(-1);
    if (places.length < size || after === undefined) return;
    size = Math.min(size * 2, maximumSlice);
    // node:sqlite answers synchronously: without this a long search would be one long turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function placeOf(database: Kysely<Database>, serialNumber: string): Promise<Place | undefined> {
  return await guardReads(
    database
      .selectFrom('certificates')
      .select(['issued_at', 'position'])
      .where('serial_number', '=', serialNumber)
      .executeTakeFirst(),
  );
}

/** The next places in the order of the answer, out of one index alone: the most selective that the filter allows. */
async function readPlaces(
  database: Kysely<Database>,
  filter: CertificateFilter,
  after: Place | undefined,
  limit: number,
): Promise<readonly Place[]> {
  const { name, keyFingerprint, registrationAuthority, issuedAfter } = filter;
  const always: RawBuilder<SqlBool>[] = [];
  // With a name or a key, the RA is a condition on the certificate.
  if (name !== undefined) always.push(sql`name = ${searchKey(name)}`);
  else if (keyFingerprint !== undefined)
    always.push(sql`substr(key_fingerprint, 1, 8) = ${keyFingerprint.slice(0, 8)}`);
  else if (registrationAuthority !== undefined) always.push(sql`registration_authority = ${registrationAuthority}`);
  if (issuedAfter !== undefined) always.push(sql`issued_at >= ${issuedAfter.getTime()}`);

  const table = sql.table(name === undefined ? 'certificates' : 'certificate_names');
  const read = async (conditions: readonly RawBuilder<SqlBool>[], rows: number): Promise<readonly Place[]> => {
    const all = [...always, ...conditions];
    const where = all.length === 0 ? sql`` : sql`where ${sql.join(all, sql` and `)}`;
    const query = sql<Place>`select issued_at, position from ${table} ${where}
      order by issued_at desc, position desc limit ${rows}`;
    return (await guardReads(query.execute(database))).rows;
  };
  if (after === undefined) return await read([], limit);
  // Two searches: a comparison of both at once would pass all places of the same millisecond again, and after an import
  // these may be very many.
  const { issued_at: issuedAt, position } = after;
  const same = await read([sql`issued_at = ${issuedAt}`, sql`position < ${position}`], limit);
  if (same.length === limit) return same;
  return [...same, ...(await read([sql`issued_at < ${issuedAt}`], limit - same.length))];
}

/** The certificates at these places that pass the whole filter. */
async function readMatches(
  database: Kysely<Database>,
  filter: CertificateFilter,
  now: Date,
  places: readonly Place[],
  limit: number,
): Promise<readonly CertificateRow[]> {
  const positions = JSON.stringify(places.map(({ position }) => position));
  // SQLite carries a cross join out in the order in which it is written: the planner cannot walk an index of all
  // instead.
  let query = database
    .selectFrom(sql<{ value: number }>`json_each(${positions})`.as('place'))
    .crossJoin('certificates')
    .leftJoin('revocations', 'revocations.serial_number', 'certificates.serial_number')
    .selectAll('certificates')
    .select(revocationColumns)
    .whereRef('certificates.position', '=', 'place.value');
  const { profile, registrationAuthority, requesterId, keyFingerprint, expiresBefore, expiresAfter } = filter;
  if (profile !== undefined) query = query.where('profile', '=', profile);
  if (registrationAuthority !== undefined) query = query.where('registration_authority', '=', registrationAuthority);
  if (requesterId !== undefined) query = query.where('requester_id', '=', requesterId);
  if (keyFingerprint !== undefined) query = query.where('key_fingerprint', '=', keyFingerprint);
  if (expiresBefore !== undefined) query = query.where('certificates.not_after', '<', expiresBefore.getTime());
  if (expiresAfter !== undefined) query = query.where('certificates.not_after', '>=', expiresAfter.getTime());
  switch (filter.standing) {
    case 'valid':
      query = query.where('revocations.state', 'is', null).where('certificates.not_after', '>=', now.getTime());
      break;
    case 'expired':
      query = query.where('revocations.state', 'is', null).where('certificates.not_after', '<', now.getTime());
      break;
    case 'revoked':
    case 'held':
      query = query.where('revocations.state', '=', filter.standing);
      break;
    case undefined:
      break;
  }
  return await guardReads(query.orderBy('issued_at', 'desc').orderBy('position', 'desc').limit(limit).execute());
}
