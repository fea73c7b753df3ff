/** The audit log as operators see it: search, export, verification. Reading all of it is itself an event. */
import type { AuditEvent, ListAuditEventsRequest, VerifyAuditResponse } from '@gatehouse/proto/administration';
import { CoreError } from '@gatehouse/proto/core-error';
import { type AuditRecord, isAuditAction } from '../audit/event.ts';
import { readAllAuditRecords } from '../audit/export.ts';
import { findAuditEvents } from '../audit/search.ts';
import type { Keep } from '../keep.ts';

const defaultLimit = 100;

/** Events that fit, newest first; or everything, oldest first. Throws CoreError `malformed` for an unknown action. */
export async function* auditEvents(
  keep: Keep,
  actor: string,
  request: ListAuditEventsRequest,
): AsyncGenerator<AuditEvent> {
  if (request.isEverything) {
    for await (const record of readAllAuditRecords(keep.store)) yield auditEventMessage(record);
    await keep.store.commit({ operations: [], events: [{ action: 'audit-exported', actor, outcome: 'success' }] });
    return;
  }
  if (request.action !== '' && !isAuditAction(request.action)) {
    throw new CoreError('malformed', `there is no audit action ${JSON.stringify(request.action.slice(0, 64))}`);
  }
  const found = findAuditEvents(keep.store, {
    action: given(request.action),
    serialNumber: given(request.serialNumber),
    registrationAuthority: given(request.registrationAuthority),
    after: request.after,
    before: request.before,
    limit: request.limit === 0 ? defaultLimit : request.limit,
  });
  for await (const record of found) yield auditEventMessage(record);
}

/** Walks the chain; what was found is recorded. */
export async function verifyAuditLog(keep: Keep, actor: string): Promise<VerifyAuditResponse> {
  const { records, firstBreak } = await keep.verifyAudit();
  const outcome = firstBreak === undefined ? 'success' : 'internal';
  await keep.store.commit({
    operations: [],
    events: [
      { action: 'audit-verified', actor, outcome, body: { records, firstBreak: firstBreak && { ...firstBreak } } },
    ],
  });
  return { records, firstBreak };
}

function auditEventMessage(record: AuditRecord): AuditEvent {
  return {
    instance: record.instance,
    sequence: record.sequence,
    at: new Date(record.at),
    actor: record.actor,
    action: record.action,
    registrationAuthority: record.registrationAuthority ?? '',
    requester: record.requester ?? '',
    profile: record.profile ?? '',
    serialNumber: record.serialNumber ?? '',
    outcome: record.outcome,
    body: record.body ?? '',
    mac: Buffer.from(record.mac),
  };
}

function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}
