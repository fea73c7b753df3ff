/**
 * Keeps a signed response for every certificate that has one, batch by batch: changes of status before new certificates,
 * both before what is to be signed again because half of its life is over. Each batch and the place up to which core.db
 * was read become durable together, so that a crash leaves nothing out. It decides what is next and never how long to wait.
 */
import {
  type CertificateStatusRecord,
  findCertificateStatus,
  listChanged,
  listIssued,
} from '../store/certificate-status.ts';
import type { NewResponse, ResponseKey, ResponseLog } from '../store/responses/response-log.ts';
import type { StoreReader } from '../store/statements.ts';
import type { ResponseSigner } from './response-signer.ts';

/** A responder that signs, and the number under which the log knows it. */
export type ActiveResponder = { readonly number: number; readonly signer: ResponseSigner };

/** What the pre-signer works on. */
export type PreSignerParts = {
  /** core.db. */
  readonly store: StoreReader;
  readonly log: ResponseLog;
  /** The one authority whose certificates have OCSP. */
  readonly authority: string;
  /** Profiles whose certificates have no published status. */
  readonly unpublishedProfiles: ReadonlySet<string>;
  readonly validityMs: number;
  readonly archiveCutoffMs: number | undefined;
};

/** What one batch did; undefined when there was nothing to do. */
export type Batch = {
  /** Certificates for which responses were signed. */
  readonly signed: number;
};

/** Signs in batches. Times are epoch milliseconds. */
export type PreSigner = {
  /** What has changed: before everything else. */
  signChanges(responder: ActiveResponder, now: number): Promise<Batch | undefined>;
  /** New certificates, then what is to be signed again. */
  signOthers(responder: ActiveResponder, now: number): Promise<Batch | undefined>;
  /** Whether every certificate that was issued so far has been seen. */
  isCaughtUp(): boolean;
};

/** Some 15 ms of work: a revocation that comes in between waits no longer. */
const batchSize = 256;

/** A clock may be set back by so much without anything being signed again. */
const toleranceMs = 60_000;

/** Goes on where the log was left. */
export function createPreSigner(parts: PreSignerParts): PreSigner {
  const { store, log, authority, archiveCutoffMs = 0 } = parts;
  const noScopes: ReadonlyMap<string, number> = new Map();
  let isCaughtUp = false;

  /** Whether a certificate has a pre-signed response. Which CRL it names was decided when it was issued, and stays. */
  function isPublished({ authority: issuer, profile, crlScope }: CertificateStatusRecord): boolean {
    return issuer === authority && (crlScope !== '' || !parts.unpublishedProfiles.has(profile));
  }

  function hasExpired({ notAfter }: CertificateStatusRecord, now: number): boolean {
    return notAfter + archiveCutoffMs < now;
  }

  function signAll(
    records: Iterable<CertificateStatusRecord>,
    { signer }: ActiveResponder,
    now: number,
  ): NewResponse[] {
    const responses: NewResponse[] = [];
    for (const record of records) {
      if (isPublished(record) && !hasExpired(record, now)) responses.push(signer.sign(record, now));
    }
    return responses;
  }

  async function signChanges(responder: ActiveResponder, now: number): Promise<Batch | undefined> {
    const progress = log.progress();
    const changes = listChanged(store, progress.changePosition, batchSize);
    const last = changes.at(-1);
    if (last === undefined) return undefined;
    // One that changed twice is signed once.
    const newest = new Map(changes.map((change) => [change.serialNumber, change]));
    const responses = signAll(newest.values(), responder, now);
    await log.write({
      responder: responder.number,
      responses,
      removed: [],
      scopes: noScopes,
      progress: { ...progress, changePosition: last.position, changeSerialNumber: last.serialNumber },
    });
    return { signed: responses.length };
  }

  async function signIssued(responder: ActiveResponder, now: number): Promise<Batch | undefined> {
    const progress = log.progress();
    const issued = listIssued(store, progress.certificatePosition, batchSize);
    const last = issued.at(-1);
    isCaughtUp = issued.length < batchSize;
    if (last === undefined) return undefined;
    const responses = signAll(issued, responder, now);
    await log.write({
      responder: responder.number,
      responses,
      removed: [],
      scopes: scopesOf(issued),
      progress: { ...progress, certificatePosition: last.position, certificateSerialNumber: last.serialNumber },
    });
    return { signed: responses.length };
  }

  function scopesOf(issued: readonly CertificateStatusRecord[]): ReadonlyMap<string, number> {
    const scopes = new Map<string, number>();
    for (const { authority: issuer, crlScope, notAfter } of issued) {
      if (issuer !== authority || crlScope === '') continue;
      scopes.set(crlScope, Math.max(scopes.get(crlScope) ?? 0, notAfter));
    }
    return scopes;
  }

  async function signAgain(responder: ActiveResponder, now: number): Promise<Batch | undefined> {
    const latestDue = now + parts.validityMs / 2 + toleranceMs;
    const due = log.listDue(now, latestDue, batchSize);
    if (due.length === 0) return undefined;
    const records: CertificateStatusRecord[] = [];
    const removed: ResponseKey[] = [];
    for (const key of due) {
      const record = findCertificateStatus(store, key.serialNumber);
      if (record === undefined || !isPublished(record) || hasExpired(record, now)) removed.push(key);
      else records.push(record);
    }
    const responses = signAll(records, responder, now);
    const read = log.progress();
    const progress = removed.length === 0 ? read : { ...read, removedAt: now };
    await log.write({ responder: responder.number, responses, removed, scopes: noScopes, progress });
    return { signed: responses.length };
  }

  /** What was removed before its time, because the clock was wrong, is signed again: everything is looked at once more. */
  async function beginAnewAfterWrongTime({ number }: ActiveResponder, now: number): Promise<void> {
    const read = log.progress();
    if (read.removedAt <= now + toleranceMs) return;
    const progress = { ...read, certificatePosition: 0, certificateSerialNumber: '', removedAt: now };
    await log.write({ responder: number, responses: [], removed: [], scopes: noScopes, progress });
  }

  return {
    signChanges,
    async signOthers(responder, now) {
      await beginAnewAfterWrongTime(responder, now);
      return (await signIssued(responder, now)) ?? (await signAgain(responder, now));
    },
    isCaughtUp: () => isCaughtUp,
  };
}
