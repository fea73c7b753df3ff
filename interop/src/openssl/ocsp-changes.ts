// A certificate whose status changes while openssl looks on: revoked for each reason, suspended, released.

import assert from 'node:assert/strict';
import type { Operation } from '../client.ts';
import type { Session } from '../session.ts';
import { expectRevoked, untilReason, untilStatus } from '../status/expect-ocsp.ts';
import { askByPost } from '../status/openssl-ocsp.ts';
import { hold, release, revoke } from '../status/operator.ts';
import { enrollSubject } from '../status/subject.ts';

/**
 * Reasons of a certificate that is no CA's, RFC 5280 §5.3.1, in the words of the operator and of openssl. It has no word
 * for privilegeWithdrawn, which other clients are shown.
 */
const reasons = [
  ['key-compromise', 'keyCompromise'],
  ['affiliation-changed', 'affiliationChanged'],
  ['superseded', 'superseded'],
  ['cessation-of-operation', 'cessationOfOperation'],
  // Nothing is said rather than that nothing is known.
  ['unspecified', undefined],
] as const;

const section = 'RFC 6960 §4.2.1, RFC 5280 §5.3.1';

/** The operations. */
export const changes: readonly Operation[] = [
  ...reasons.map(([word, reason]) => ({
    name: `good, then revoked: ${word}`,
    section,
    run: (session: Session) => expectChange(session, word, reason),
  })),
  { name: 'good, then on hold, then good again', section, run: expectHold },
  { name: 'good, then on hold, then revoked', section, run: expectRevocationOfHeld },
  { name: 'good and revoked in one request', section: 'RFC 6960 §4.1.1', run: askMixed },
];

async function expectChange(session: Session, word: string, reason: string | undefined): Promise<void> {
  const subject = await enrollSubject(session, 'changing');
  await untilStatus(session, subject, 'good');
  await revoke(session, subject.serialNumber, word);
  const sha1 = await untilStatus(session, subject, 'revoked');
  expectRevoked(sha1, reason);
  const sha256 = await untilStatus(session, subject, 'revoked', { hash: 'sha256', options: ['-no_nonce'] });
  expectRevoked(sha256, reason);
  assert.deepEqual(sha256.revokedAt, sha1.revokedAt);
}

async function expectHold(session: Session): Promise<void> {
  const subject = await enrollSubject(session, 'suspended');
  await untilStatus(session, subject, 'good');
  await hold(session, subject.serialNumber);
  expectRevoked(await untilStatus(session, subject, 'revoked'), 'certificateHold');
  await release(session, subject.serialNumber);
  const { reason, revokedAt } = await untilStatus(session, subject, 'good');
  assert.deepEqual([reason, revokedAt], [undefined, undefined]);
}

async function expectRevocationOfHeld(session: Session): Promise<void> {
  const subject = await enrollSubject(session, 'suspended');
  await hold(session, subject.serialNumber);
  expectRevoked(await untilStatus(session, subject, 'revoked'), 'certificateHold');
  await revoke(session, subject.serialNumber, 'superseded');
  expectRevoked(await untilReason(session, subject, 'superseded'), 'superseded');
}

async function askMixed(session: Session): Promise<void> {
  const good = await enrollSubject(session, 'good');
  const bad = await enrollSubject(session, 'bad');
  await revoke(session, bad.serialNumber, 'superseded');
  await untilStatus(session, bad, 'revoked');
  const { statuses } = await askByPost(session, good.ocsp, {
    certificates: [bad.certificateFile, good.certificateFile],
    options: ['-no_nonce'],
  });
  assert.deepEqual(
    statuses.map(({ subject, status, reason }) => [subject, status, reason]),
    [
      [bad.certificateFile, 'revoked', 'superseded'],
      [good.certificateFile, 'good', undefined],
    ],
  );
}
