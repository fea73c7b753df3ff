// Programs of a few lines that do nothing but call a library's own reader of OCSP and CRLs: what they are told is a
// certificate and its issuer, what they find out is one object of JSON.

import assert from 'node:assert/strict';
import type { Operation } from '../client.ts';
import { output } from '../command.ts';
import type { Session } from '../session.ts';
import { untilListed } from '../status/expect-crl.ts';
import { expectNow, untilStatus } from '../status/expect-ocsp.ts';
import { hold, release, revoke } from '../status/operator.ts';
import { enrollSubject, type Subject } from '../status/subject.ts';
import { type Finding, readFinding } from './finding.ts';

/** How such a program is started: `/usr/bin/python3 program.py`. */
export type Checker = readonly [program: string, ...parameters: readonly string[]];

/** The operations that each of them is put through. */
export function checks(checker: Checker): readonly Operation[] {
  const responder = (name: string, ...how: readonly string[]): Operation => ({
    name: `OCSP ${name}: good, revoked`,
    section: 'RFC 6960 appendix A.1',
    run: (session) => expectOcspChange(session, checker, how),
  });
  return [
    responder('by POST, SHA-1', 'post', 'sha1'),
    responder('by POST, SHA-256', 'post', 'sha256'),
    responder('by GET, SHA-1', 'get', 'sha1'),
    responder('by GET, SHA-256', 'get', 'sha256'),
    { name: 'OCSP: on hold, released', section: 'RFC 6960 §2.2', run: (session) => expectHold(session, checker) },
    { name: 'CRL: good, revoked', section: 'RFC 5280 §6.3', run: (session) => expectCrlChange(session, checker) },
  ];
}

async function expectOcspChange(session: Session, checker: Checker, how: readonly string[]): Promise<void> {
  const subject = await enrollSubject(session, 'changing');
  const look = () => check(checker, 'ocsp', subject, how);
  expectFinding(await look(), 'good', undefined);
  await revoke(session, subject.serialNumber, 'key-compromise');
  await untilStatus(session, subject, 'revoked');
  expectFinding(await look(), 'revoked', 'keyCompromise');
}

async function expectHold(session: Session, checker: Checker): Promise<void> {
  const subject = await enrollSubject(session, 'suspended');
  const look = () => check(checker, 'ocsp', subject, ['post', 'sha1']);
  await hold(session, subject.serialNumber);
  await untilStatus(session, subject, 'revoked');
  expectFinding(await look(), 'revoked', 'certificateHold');
  await release(session, subject.serialNumber);
  await untilStatus(session, subject, 'good');
  expectFinding(await look(), 'good', undefined);
}

async function expectCrlChange(session: Session, checker: Checker): Promise<void> {
  const subject = await enrollSubject(session, 'changing');
  const look = () => check(checker, 'crl', subject);
  expectFinding(await look(), 'good', undefined);
  await revoke(session, subject.serialNumber, 'privilege-withdrawn');
  await untilListed(session, subject.crl, subject.serialNumber, 'Privilege Withdrawn');
  expectFinding(await look(), 'revoked', 'privilegeWithdrawn');
}

/** Runs it. @throws {CommandError} when it fails, {FindingError} when it prints something else */
export async function check(
  [program, ...parameters]: Checker,
  task: string,
  { certificateFile, issuerFile }: Subject,
  how: readonly string[] = [],
): Promise<Finding> {
  return readFinding(
    (await output(program, [...parameters, task, certificateFile, issuerFile, ...how])).toString('utf8'),
  );
}

/** @throws when it is another one, or not of now */
export function expectFinding(finding: Finding, status: Finding['status'], reason: string | undefined): void {
  assert.deepEqual([finding.status, finding.reason], [status, reason]);
  assert.equal(finding.revokedAt !== undefined, status === 'revoked');
  expectNow(finding);
}
