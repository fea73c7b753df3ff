// POST /simpleenroll, RFC 7030 §4.2.1, and what all enrolling operations share: binding, names, counted passwords, and
// the call of the keep, exactly once.

import {
  type CertificationRequest,
  CertificationRequestError,
  challengePassword,
  requestedNames,
} from '@gatehouse/pkix/certification-request';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { EnrollmentOutcome } from '@gatehouse/ra-client/enrollment';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { Identity } from './authenticate.ts';
import { checkChannelBinding } from './channel-binding.ts';
import { EstError } from './errors.ts';
import type { EstAnswer, EstExchange } from './exchange.ts';
import type { EstGate } from './gate.ts';
import { enrollOnce, type KeylessEnrollment } from './idempotency.ts';
import type { RequestedNames } from './name-policy.ts';
import { takenNames } from './requested-names.ts';
import type { SpentUses } from './spent-uses.ts';
import { answerOutcome, baseKey, readRequestBody, toEnrollment } from './translate.ts';
import type { User } from './users.ts';

/** Answers POST /simpleenroll. @throws {EstError | CoreError} */
export async function simpleEnroll(gate: EstGate, exchange: EstExchange, identity: Identity): Promise<EstAnswer> {
  const request = readRequestBody(exchange.body);
  checkBinding(exchange, identity, request);
  await checkRequestedNames(gate, exchange, identity, request);
  const outcome = await enrollCounted(gate, exchange, identity, {
    enrollment: toEnrollment(exchange, identity, request.der),
    key: baseKey(exchange, identity, request.der),
    subjectPublicKeyInfo: request.subjectPublicKeyInfo,
  });
  return answerOutcome(outcome);
}

/** RFC 7030 §3.5. An RA's CSRs were made over other connections, RFC 7030 §3.7. @throws {EstError} */
export function checkBinding(exchange: EstExchange, identity: Identity, request: CertificationRequest): void {
  if (identity.isRegistrationAuthority) return;
  checkChannelBinding(
    exchange.label.channelBinding,
    read(() => challengePassword(request)),
    exchange.peer,
  );
}

/** Refuses names that the asker may not enrol. @throws {EstError} `not-allowed` naming them */
export async function checkRequestedNames(
  gate: EstGate,
  exchange: EstExchange,
  identity: Identity,
  request: CertificationRequest,
): Promise<RequestedNames> {
  const profile = await gate.profiles.get(exchange.label.profile);
  const names = takenNames(
    profile,
    request.subject,
    read(() => requestedNames(request)),
  );
  refuseNames(identity, exchange, names);
  return names;
}

/** @throws {EstError} `not-allowed` naming the names that the asker may not enrol */
export function refuseNames(identity: Identity, { label }: EstExchange, names: RequestedNames): void {
  const refused = identity.names(names, label.name);
  if (refused.length === 0) return;
  const shown = refused.slice(0, 5).join(', ');
  throw new EstError('not-allowed', `not allowed to enrol ${shown}${refused.length > 5 ? ', …' : ''}`);
}

/** What {@link enrollCounted} asks the keep for. */
export type KeyedEnrollment = {
  readonly enrollment: KeylessEnrollment;
  /** Of the request and of no time. */
  readonly key: string;
  readonly subjectPublicKeyInfo: Uint8Array;
};

/** Enrols once for each request and each counted use. @throws {EstError | CoreError} */
export async function enrollCounted(
  gate: EstGate,
  exchange: EstExchange,
  identity: Identity,
  { enrollment, key, subjectPublicKeyInfo }: KeyedEnrollment,
): Promise<EnrollmentOutcome> {
  const { core, clock, configuration, profiles, spentUses } = gate;
  const { requestId } = exchange;
  const { needsApproval } = await profiles.get(enrollment.profile);
  const { retryWindow, collectWindow } = configuration;
  // An approved certificate must still be there when the client comes for it, which may be long after the approval; and
  // a counted password never yields a second certificate for one use.
  const isCounted = identity.holder?.kind === 'user' && identity.holder.user.uses !== undefined;
  const windowMs = isCounted
    ? Number.POSITIVE_INFINITY
    : needsApproval
      ? Math.max(collectWindow, retryWindow)
      : retryWindow;
  const outcome = await withUse(spentUses, identity, key, () =>
    enrollOnce({ core, clock, windowMs, requestId }, enrollment, key, subjectPublicKeyInfo),
  );
  exchange.note({
    enrollment: outcome.requestId,
    ...(outcome.kind === 'issued' ? { serialNumber: outcome.serialNumber } : {}),
  });
  return outcome;
}

/** Spends a use of a counted password for what `enroll` does, and gives it back when the keep refuses. */
export async function withUse<T>(
  spentUses: SpentUses,
  { holder }: Identity,
  key: string,
  enroll: () => Promise<T>,
): Promise<T> {
  if (holder?.kind !== 'user') return await enroll();
  const { user } = holder;
  if (!spend(spentUses, user, key)) throw new EstError('not-allowed', 'this password has been used up');
  try {
    return await enroll();
  } catch (error) {
    // After a time-out the keep may have issued all the same: the use stays with this request, whose retry is free.
    if (error instanceof CoreError && error.code !== 'unavailable' && error.code !== 'internal') {
      spentUses.giveBack(user, key);
    }
    throw error;
  }
}

// Nothing is enrolled that cannot be counted.
function spend(spentUses: SpentUses, user: User, key: string): boolean {
  try {
    return spentUses.spend(user, key);
  } catch (error) {
    if (!(error instanceof FatalError)) throw error;
    throw new EstError('unavailable', 'the use of the password cannot be recorded now', { cause: error });
  }
}

function read<T>(reader: () => T): T {
  try {
    return reader();
  } catch (error) {
    if (error instanceof CertificationRequestError) throw new EstError('malformed', error.detail, { cause: error });
    throw error;
  }
}
