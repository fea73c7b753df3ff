/**
 * Which certificates a bulk revocation means: the conditions as they come over the bridge, as they are kept with the job,
 * and as they are recorded in the audit log. A query that means everything is refused.
 */
import type { BulkRevocationQuery } from '@gatehouse/proto/administration';
import { CoreError } from '@gatehouse/proto/core-error';
import { z } from 'zod';
import type { CertificateSelection } from '../store/bulk-candidates.ts';

const longest = 256;
const fingerprintLength = 32;

/** The form in which a query is kept. */
const keptQuerySchema = z.strictObject({
  profile: z.string().optional(),
  registrationAuthority: z.string().optional(),
  requesterId: z.string().optional(),
  authority: z.string().optional(),
  issuedAfter: z.iso.datetime().optional(),
  issuedBefore: z.iso.datetime().optional(),
  keyFingerprint: z.hex().optional(),
});

/** A query as plain JSON; what is not a condition is left out. */
export type KeptQuery = z.infer<typeof keptQuerySchema>;

/** The conditions of a request. Throws CoreError `malformed` when there are none, or one that can never hold. */
export function readBulkQuery(query: BulkRevocationQuery | undefined): CertificateSelection {
  if (query === undefined) throw noCondition();
  const selection: CertificateSelection = {
    profile: text('profile', query.profile),
    registrationAuthority: text('RA', query.registrationAuthority),
    requesterId: text('requester', query.requesterId),
    authority: text('authority', query.authority),
    issuedAfter: time(query.issuedAfter),
    issuedBefore: time(query.issuedBefore),
    keyFingerprint: query.keyFingerprint.length === 0 ? undefined : query.keyFingerprint,
  };
  const { authority, issuedAfter, issuedBefore, keyFingerprint } = selection;
  if (Object.values(selection).every((condition) => condition === undefined)) throw noCondition();
  if (authority === 'service') {
    throw new CoreError('malformed', 'credentials of the service CA are revoked one by one');
  }
  if (issuedAfter !== undefined && issuedBefore !== undefined && issuedAfter >= issuedBefore) {
    throw new CoreError('malformed', 'nothing is issued after the one time and before the other');
  }
  if (keyFingerprint !== undefined && keyFingerprint.length !== fingerprintLength) {
    throw new CoreError('malformed', `a SHA-256 fingerprint has ${fingerprintLength} octets`);
  }
  return selection;
}

/** The query as it is kept and audited. */
export function keptQuery({ issuedAfter, issuedBefore, keyFingerprint, ...texts }: CertificateSelection): KeptQuery {
  return {
    ...texts,
    issuedAfter: issuedAfter?.toISOString(),
    issuedBefore: issuedBefore?.toISOString(),
    keyFingerprint: keyFingerprint === undefined ? undefined : Buffer.from(keyFingerprint).toString('hex'),
  };
}

/** What was kept, read back. Throws ZodError when it was not written by {@link keptQuery}. */
export function readKeptQuery(json: string): CertificateSelection {
  const { issuedAfter, issuedBefore, keyFingerprint, ...texts } = keptQuerySchema.parse(JSON.parse(json));
  return {
    ...texts,
    issuedAfter: issuedAfter === undefined ? undefined : new Date(issuedAfter),
    issuedBefore: issuedBefore === undefined ? undefined : new Date(issuedBefore),
    keyFingerprint: keyFingerprint === undefined ? undefined : Buffer.from(keyFingerprint, 'hex'),
  };
}

/** The query in the words of the contract. */
export function bulkQueryMessage(selection: CertificateSelection): BulkRevocationQuery {
  return {
    profile: selection.profile ?? '',
    registrationAuthority: selection.registrationAuthority ?? '',
    requesterId: selection.requesterId ?? '',
    authority: selection.authority ?? '',
    issuedAfter: selection.issuedAfter,
    issuedBefore: selection.issuedBefore,
    keyFingerprint: Buffer.from(selection.keyFingerprint ?? []),
  };
}

function text(condition: string, value: string): string | undefined {
  if (Buffer.byteLength(value) > longest) {
    throw new CoreError('malformed', `the ${condition} is longer than ${longest} octets`);
  }
  return value === '' ? undefined : value;
}

function time(value: Date | undefined): Date | undefined {
  if (value === undefined || !Number.isNaN(value.getTime())) return value;
  throw new CoreError('malformed', 'a time of issue is none');
}

function noCondition(): CoreError {
  return new CoreError('malformed', 'a bulk revocation needs at least one condition');
}
