// Exactly once towards the client: the same request by the same asker joins the same
// enrollment while it is pending and gets the same certificate for a while after it was issued. After that it is a new
// request, so that a device whose CSR never changes still gets a new certificate next year. Nothing is kept here: the
// keep remembers answers by key, and its inventory tells which certificates are settled.

import { publicKeyFingerprint } from '@gatehouse/pkix/public-key';
import { type CertificateRecord, CertificateState, type CoreClient } from '@gatehouse/ra-client/client';
import type { Enrollment, EnrollmentOutcome, IssuedEnrollment } from '@gatehouse/ra-client/enrollment';
import type { Clock } from '@gatehouse/runtime/clock';
import { idempotencyKey } from '../idempotency.ts';

/** An enrollment without its key: that is made here. */
export type KeylessEnrollment = Omit<Enrollment, 'idempotencyKey'>;

/** What {@link enrollOnce} stands on. */
export type OnceOptions = {
  readonly core: Pick<CoreClient, 'enroll' | 'findCertificates'>;
  readonly clock: Clock;
  /** For how long after its issue a certificate is the answer to the same request. */
  readonly windowMs: number;
  readonly requestId: string;
};

/** How many certificates of the same key are looked through; more within one window is no retry. */
const inventoryLimit = 100;
const maximumEpochs = 4;

/**
 * Enrols, or gives the answer that the same request got before.
 *
 * @param baseKey key of label, operation, asker, renewed certificate and CSR: it knows no time
 * @param subjectPublicKeyInfo the key of the CSR
 * @throws {CoreError}
 */
export async function enrollOnce(
  options: OnceOptions,
  enrollment: KeylessEnrollment,
  baseKey: string,
  subjectPublicKeyInfo: Uint8Array,
): Promise<EnrollmentOutcome> {
  const { core, requestId } = options;
  let outcome = await core.enroll({ ...enrollment, idempotencyKey: baseKey }, { requestId });
  for (let epoch = 0; epoch < maximumEpochs; epoch++) {
    if (outcome.kind !== 'issued' || !outcome.isRepeated) return outcome;
    const settled = await newestSettled(options, enrollment, outcome, subjectPublicKeyInfo);
    if (settled === undefined) return outcome;
    // The certificate that is settled begins a new epoch. It is named by the key, so the epoch is the same for every
    // retry, and after a restart too.
    const epochKey = idempotencyKey([baseKey, settled]);
    outcome = await core.enroll({ ...enrollment, idempotencyKey: epochKey }, { requestId });
  }
  return outcome;
}

/**
 * Serial number of the newest certificate of this request whose time as an answer is over; undefined when `answer` is
 * still within its time.
 */
async function newestSettled(
  { core, clock, windowMs, requestId }: OnceOptions,
  enrollment: KeylessEnrollment,
  answer: IssuedEnrollment,
  subjectPublicKeyInfo: Uint8Array,
): Promise<string | undefined> {
  const now = clock.now().getTime();
  const isSettled = (record: CertificateRecord): boolean =>
    record.state !== CertificateState.CERTIFICATE_STATE_VALID ||
    record.issuedAt === undefined ||
    now - record.issuedAt.getTime() >= windowMs;
  const conditions = {
    keyFingerprint: Buffer.from(publicKeyFingerprint(subjectPublicKeyInfo)),
    profile: enrollment.profile,
    requesterId: enrollment.requester.id,
    limit: inventoryLimit,
  };
  let newest: string | undefined;
  let isAnswerSettled = true;
  for await (const record of core.findCertificates(conditions, { requestId })) {
    if (isSettled(record)) newest ??= record.serialNumber;
    else if (record.serialNumber === answer.serialNumber) isAnswerSettled = false;
  }
  return isAnswerSettled ? (newest ?? answer.serialNumber) : undefined;
}
