// The certificate of a key that did not reach its client is revoked, RFC 7030 §4.4: at once, and where the keep is away just
// then, again and again until it is back. What is still open when the process ends stands in its log.

import { RevocationReason } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { pauseAfterFailures } from '@gatehouse/ra-client/renewal-schedule';
import type { EnrollmentExchange } from './exchange.ts';
import type { EnrollmentGate } from './gate.ts';
import type { Identity } from './identity.ts';

/** What is to be revoked. */
export type UndeliveredCertificate = {
  readonly core: Pick<EnrollmentGate['core'], 'revoke'>;
  readonly exchange: Pick<EnrollmentExchange, 'requestId' | 'log'>;
  readonly requester: Identity['requester'];
  readonly serialNumber: string;
  /** Called when it is revoked. */
  readonly onRevoked: () => void;
};

const firstPauseMs = 5_000;
/** With pauses of at most five minutes: longer than a keep is away for maintenance. */
const longestAttempts = 24;
const temporary: ReadonlySet<string> = new Set(['unavailable', 'internal', 'rate-limited']);

/** Revokes it. Resolves after the first attempt and never throws; further attempts do not hold the process. */
export async function revokeUndelivered(undelivered: UndeliveredCertificate, attempt = 1): Promise<void> {
  const { core, exchange, requester, serialNumber, onRevoked } = undelivered;
  const { requestId, log } = exchange;
  try {
    const reason = RevocationReason.REVOCATION_REASON_CESSATION_OF_OPERATION;
    await core.revoke({ serialNumber, reason, requester }, { requestId });
    log.warn({ requestId, serialNumber }, 'the generated key could not be delivered; its certificate is revoked');
    onRevoked();
  } catch (error) {
    if (error instanceof CoreError && error.code === 'already-revoked') return;
    const facts = { err: error, requestId, serialNumber };
    if (!(error instanceof CoreError && temporary.has(error.code)) || attempt >= longestAttempts) {
      log.error(facts, 'the certificate of an undelivered key could not be revoked');
      return;
    }
    const pauseMs = pauseAfterFailures(attempt, firstPauseMs);
    log.warn(
      { ...facts, pauseMs },
      'the certificate of an undelivered key could not be revoked yet; it will be tried again',
    );
    setTimeout(() => void revokeUndelivered(undelivered, attempt + 1), pauseMs).unref();
  }
}
