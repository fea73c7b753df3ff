/**
 * Whether the record of dns-persist-01 that a perspective shows proves control for the account that asks
 * (draft-ietf-acme-dns-persist-02). Nothing but the record ties the name to a key: a gate may ask perspectives about the keys
 * of many accounts at once, and name whichever it likes as the one that asks.
 */
import { hash } from 'node:crypto';
import type { StatementPayload } from '@gatehouse/proto/perspective-statement';
import type { PersistDraft } from '../profiles/vocabulary.ts';
import type { StatementSet } from './statement-set.ts';

/** By what records are judged. */
export type RecordRules = {
  /** Names of this CA. */
  readonly issuerDomainNames: ReadonlySet<string>;
  readonly dnsPersist: PersistDraft;
  readonly now: Date;
};

/** Why the record of a statement proves nothing; undefined when it proves control. */
export function persistentRecordFault(
  { issuerDomainNames, dnsPersist, now }: RecordRules,
  set: Pick<StatementSet, 'identifier' | 'account' | 'thumbprint'>,
  { expected, persistUntil }: Pick<StatementPayload, 'expected' | 'persistUntil'>,
): string | undefined {
  if (expected === undefined) return 'it does not show the record that it found';
  if (persistUntil !== undefined && Date.parse(persistUntil) <= now.getTime()) {
    return `the record counted until ${persistUntil}`;
  }
  const issuer = expected.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (!issuerDomainNames.has(issuer)) return `the record is for the issuer '${issuer.slice(0, 64)}'`;
  const account = accountOfRecord(expected);
  if (dnsPersist === 'draft-01' && account === set.account) return undefined;
  const digest = /^https:\/\/\S*\/sha-256\/([A-Za-z0-9_-]{43})$/.exec(account)?.[1];
  const isOurs = [set.identifier.value, '*'].some(
    (domain) => accountDigest(domain, set.thumbprint, set.account) === digest,
  );
  return isOurs ? undefined : 'the record is for another account or another key than asks';
}

/** The `accounturi` of a record, empty without. */
export function accountOfRecord(record: string): string {
  return /;\s*accounturi\s*=\s*([^;]*)/i.exec(record)?.[1]?.trim() ?? '';
}

/** base64url(SHA-256(one octet of length ‖ domain ‖ thumbprint ‖ URL of the account)); `domain` is that of the record, or `*`. */
export function accountDigest(domain: string, thumbprint: string, account: string): string {
  const head = Uint8Array.of(Buffer.byteLength(domain));
  return hash('sha256', Buffer.concat([head, Buffer.from(`${domain}${thumbprint}${account}`)]), 'base64url');
}
