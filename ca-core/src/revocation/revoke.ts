/**
 * Changes of a certificate's status: revoked for good, on hold, released. What was asked and what became of it are
 * audited; who asks must be the RA that enrolled it, or an operator.
 */
import type { RevokeRequest } from '@gatehouse/proto/certificate-authority';
import { CoreError } from '@gatehouse/proto/core-error';
import { type CertificateRecord, RevocationReason } from '@gatehouse/proto/types';
import type { AuditEventDraft } from '../audit/event.ts';
import { requesterLabel } from '../enrollment/requester.ts';
import { certificateRecord } from '../inventory/certificate-record.ts';
import { readSerialNumber } from '../inventory/serial-number.ts';
import type { Keep } from '../keep.ts';
import type { Caller } from '../registry/caller.ts';
import { findCertificate, type StoredCertificate } from '../store/certificates.ts';
import { checkStatusChange, statusChangeOperations } from './status-change.ts';

/** What is needed of the keep. */
export type RevocationParts = Pick<Keep, 'store' | 'registry' | 'statusFeed' | 'clock' | 'log'>;

/** Who asks. */
export type RevocationContext = { readonly caller: Caller; readonly requestId: string };

/**
 * Revokes, holds or releases. Throws CoreError `malformed`, `not-found`, `out-of-scope`, `already-revoked` or `conflict`;
 * then nothing has changed.
 */
export async function revoke(
  keep: RevocationParts,
  context: RevocationContext,
  request: RevokeRequest,
): Promise<CertificateRecord> {
  const now = keep.clock.now();
  const record = readTarget(keep, request, now);
  const facts = {
    actor: context.caller.uri,
    registrationAuthority: record.registrationAuthority,
    requester: requesterLabel(request.requester),
    profile: record.profile,
    serialNumber: record.serialNumber,
  };
  const { reason, invalidityDate } = request;
  const body = { reason, invalidityDate: invalidityDate?.toISOString(), requestId: context.requestId };
  try {
    refuseForeign(record, context.caller, reason);
    const outcome = 'success';
    await keep.store.commit({
      operations: statusChangeOperations(record, { reason, invalidityDate, actor: context.caller.uri }, now),
      events: [
        { action: 'status-change-requested', ...facts, outcome, body },
        { action: 'status-changed', ...facts, outcome, body },
      ],
    });
  } catch (error) {
    await recordRefusal(keep, { ...facts, body }, error);
    throw error;
  }
  keep.statusFeed.wake();
  // A credential of the bridge that was revoked stops working with the next call.
  keep.registry.statusChanged(record.serialNumber);
  return certificateRecord(readBack(keep, record.serialNumber), now);
}

function readTarget(keep: RevocationParts, request: RevokeRequest, now: Date): StoredCertificate {
  checkStatusChange(request, now);
  const record = findCertificate(keep.store, readSerialNumber(request.serialNumber));
  if (record === undefined) throw new CoreError('not-found', 'there is no certificate with this serial number');
  return record;
}

function refuseForeign(record: StoredCertificate, caller: Caller, reason: RevocationReason): void {
  if (caller.kind === 'operator') return;
  if (record.registrationAuthority !== caller.name) {
    throw new CoreError('out-of-scope', 'the certificate was enrolled through another RA');
  }
  // An RA may give its own credential up; whether one that was held comes back is for operators to say.
  if (record.authority === 'service' && isReversible(reason)) {
    throw new CoreError('out-of-scope', 'a credential is held and released by operators');
  }
  // What an operator took out of use, an RA must not bring back.
  const isRelease = reason === RevocationReason.REVOCATION_REASON_REMOVE_FROM_CRL;
  if (isRelease && record.revocation?.state === 'held' && record.revocation.actor !== caller.uri) {
    throw new CoreError('out-of-scope', 'somebody else put the certificate on hold');
  }
}

function isReversible(reason: RevocationReason): boolean {
  return (
    reason === RevocationReason.REVOCATION_REASON_CERTIFICATE_HOLD ||
    reason === RevocationReason.REVOCATION_REASON_REMOVE_FROM_CRL
  );
}

/** Word of an attempt that changed nothing. A store that cannot record it has said so already. */
async function recordRefusal(
  keep: RevocationParts,
  facts: Omit<AuditEventDraft, 'action' | 'outcome'>,
  error: unknown,
): Promise<void> {
  if (!(error instanceof CoreError) || error.code === 'unavailable') return;
  const event: AuditEventDraft = { action: 'status-change-requested', ...facts, outcome: error.code };
  await keep.store.commit({ operations: [], events: [event] }).catch((cause: unknown) => {
    keep.log.error({ err: cause }, 'could not record a refused change of status');
  });
}

function readBack(keep: RevocationParts, serialNumber: string): StoredCertificate {
  const record = findCertificate(keep.store, serialNumber);
  if (record === undefined) throw new Error(`certificate ${serialNumber} vanished`);
  return record;
}
