// simpleenroll, RFC 7030 §4.2.1, and what all enrolling operations share: binding, names, counted passwords, and
// the call of the keep, exactly once.

import { type CertificationRequest, challengePassword, requestedNames } from '@gatehouse/pkix/certification-request';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { EnrollmentOutcome } from '@gatehouse/ra-client/enrollment';
import { checkChannelBinding } from './channel-binding.ts';
import { enrollOnce, type KeylessEnrollment } from './enroll-once.ts';
import { baseKey, readPart, toEnrollment } from './enrollment.ts';
import { EstError } from './error.ts';
import type { EnrollmentExchange } from './exchange.ts';
import type { EnrollmentGate } from './gate.ts';
import type { Identity } from './identity.ts';
import type { RequestedNames } from './name-policy.ts';
import { judgedNames } from './requested-names.ts';

/** Enrols what a CSR asks for. @throws {EstError | CoreError} */
export async function simpleEnroll(
  gate: EnrollmentGate,
  exchange: EnrollmentExchange,
  identity: Identity,
  request: CertificationRequest,
): Promise<EnrollmentOutcome> {
  checkBinding(exchange, identity, request);
  await checkRequestedNames(gate, exchange, identity, request);
  return await enrollCounted(gate, exchange, identity, {
    enrollment: toEnrollment(exchange, identity, request.der),
    key: baseKey(gate, exchange, identity, request.der),
    subjectPublicKeyInfo: request.subjectPublicKeyInfo,
  });
}

/** RFC 7030 §3.5. An RA's CSRs were made over other connections, RFC 7030 §3.7. @throws {EstError} */
export function checkBinding(exchange: EnrollmentExchange, identity: Identity, request: CertificationRequest): void {
  if (identity.isRegistrationAuthority) return;
  const isLinked = checkChannelBinding(
    exchange.label.channelBinding,
    readPart(() => challengePassword(request)),
    exchange.peer,
  );
  if (isLinked) exchange.note({ isLinked });
}

/** Refuses names that the asker may not enrol. @throws {EstError} `not-allowed` naming them */
export async function checkRequestedNames(
  gate: EnrollmentGate,
  exchange: EnrollmentExchange,
  identity: Identity,
  request: CertificationRequest,
): Promise<void> {
  const profile = await gate.profiles.get(exchange.label.profile);
  const names = readPart(() => requestedNames(request));
  refuseNames(identity, exchange, judgedNames(profile, request.subject, names));
}

/** @throws {EstError} `not-allowed` naming the names that the asker may not enrol */
export function refuseNames(identity: Identity, { label }: EnrollmentExchange, names: RequestedNames): void {
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
  gate: EnrollmentGate,
  exchange: EnrollmentExchange,
  identity: Identity,
  { enrollment, key, subjectPublicKeyInfo }: KeyedEnrollment,
): Promise<EnrollmentOutcome> {
  const { core, clock, windows, profiles } = gate;
  const { requestId } = exchange;
  const { needsApproval } = await profiles.get(enrollment.profile);
  const { retryWindow, collectWindow } = windows;
  // An approved certificate must still be there when the client comes for it, which may be long after the approval; and
  // a counted password never yields a second certificate for one use.
  const plainWindowMs = needsApproval ? Math.max(collectWindow, retryWindow) : retryWindow;
  const windowMs = identity.uses === undefined ? plainWindowMs : Number.POSITIVE_INFINITY;
  const outcome = await withUse(identity, key, () =>
    enrollOnce({ core, clock, windowMs, requestId }, enrollment, key, subjectPublicKeyInfo),
  );
  exchange.note({
    enrollment: outcome.requestId,
    ...(outcome.kind === 'issued' ? { serialNumber: outcome.serialNumber } : {}),
  });
  return outcome;
}

/** Spends a use of a counted password for what `enroll` does, and gives it back when the keep refuses. */
export async function withUse<T>({ uses }: Identity, key: string, enroll: () => Promise<T>): Promise<T> {
  if (uses === undefined) return await enroll();
  if (!uses.spend(key)) throw new EstError('not-allowed', 'this password has been used up');
  try {
    return await enroll();
  } catch (error) {
    // After a time-out the keep may have issued all the same: the use stays with this request, whose retry is free.
    if (error instanceof CoreError && error.code !== 'unavailable' && error.code !== 'internal') {
      uses.giveBack(key);
    }
    throw error;
  }
}
