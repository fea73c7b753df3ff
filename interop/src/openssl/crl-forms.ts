// The CRLs that there are, each as its scope demands: complete, shard, CA certificates, root, and deltas.

import assert from 'node:assert/strict';
import { makeRequest } from '../certification-requests.ts';
import type { Operation } from '../client.ts';
import { estPath, toBase64 } from '../curl/enroll.ts';
import { curl, describeAnswer } from '../curl/request.ts';
import type { Session } from '../session.ts';
import { crlUrl } from '../status/crl-files.ts';
import { deltaUrl, entryOf, expectCompletes, fetchVerified, untilListed, untilUnlisted } from '../status/expect-crl.ts';
import { hold, release, revoke, revokeKey } from '../status/operator.ts';
import { readPointers } from '../status/pointers.ts';
import { enrollSubject, only } from '../status/subject.ts';

const scope = 'RFC 5280 §5.2.5';
const dayMs = 86_400_000;

/** The operations. */
export const crlForms: readonly Operation[] = [
  { name: 'crl -verify: the complete CRL, with every revoked certificate', section: 'RFC 5280 §5', run: readComplete },
  { name: 'crl -verify: the shard that a certificate names', section: scope, run: readShard },
  { name: 'crl -verify: the CRL of CA certificates', section: scope, run: readAuthorities },
  { name: 'crl -verify: the CRL of the root, which the issuing CA names', section: 'RFC 5280 §5', run: readRoot },
  { name: 'crl -verify: the delta of the complete CRL', section: 'RFC 5280 §5.2.4', run: readCompleteDelta },
  { name: 'crl -verify: the delta of a shard', section: 'RFC 5280 §5.2.4', run: readShardDelta },
  { name: 'crl -text: a reason for every entry but unspecified', section: 'RFC 5280 §5.3.1', run: readReasons },
  {
    name: 'crl -text: all certificates of a lost key, since when it was lost',
    section: 'RFC 5280 §5.3.2',
    run: readLostKey,
  },
  { name: 'crl -text: numbers grow from CRL to CRL', section: 'RFC 5280 §5.2.3', run: compareNumbers },
  { name: 'crl -text: on hold, and gone when released', section: 'RFC 5280 §5.3.1', run: readHold },
];

async function readComplete(session: Session): Promise<void> {
  const subject = await enrollSubject(session, 'listed');
  await revoke(session, subject.serialNumber, 'superseded');
  const { contents } = await untilListed(session, crlUrl(session, 'issuing'), subject.serialNumber, 'Superseded');
  assert.equal(contents.distributionPoint, undefined, 'its scope is everything that its issuer issued');
  assert.equal(contents.baseNumber, undefined);
}

async function readShard(session: Session): Promise<void> {
  const { crl, issuerFile } = await enrollSubject(session, 'sharded');
  const { contents } = await fetchVerified(session, crl, issuerFile);
  assert.deepEqual(contents.distributionPoint, { isCritical: true, url: crl, only: 'users' });
  assert.equal(contents.baseNumber, undefined);
}

async function readAuthorities(session: Session): Promise<void> {
  const url = crlUrl(session, 'issuing-ca');
  const { contents } = await fetchVerified(session, url, session.stack.endpoints.chain);
  assert.deepEqual(contents.distributionPoint, { isCritical: true, url, only: 'authorities' });
  assert.deepEqual(contents.entries, []);
}

async function readRoot(session: Session): Promise<void> {
  const { chain, trustAnchor } = session.stack.endpoints;
  const url = only((await readPointers(chain)).crls, 'CRL');
  const { contents } = await fetchVerified(session, url, trustAnchor);
  assert.deepEqual(contents.entries, []);
}

async function readCompleteDelta(session: Session): Promise<void> {
  const { chain } = session.stack.endpoints;
  const complete = await fetchVerified(session, crlUrl(session, 'issuing'), chain);
  expectCompletes(await fetchVerified(session, deltaUrl(complete), chain), complete);
}

async function readShardDelta(session: Session): Promise<void> {
  const { crl, issuerFile } = await enrollSubject(session, 'sharded');
  const complete = await fetchVerified(session, crl, issuerFile);
  expectCompletes(await fetchVerified(session, deltaUrl(complete), issuerFile), complete);
}

async function readReasons(session: Session): Promise<void> {
  const subject = await enrollSubject(session, 'reason');
  await revoke(session, subject.serialNumber, 'cessation-of-operation');
  await untilListed(session, subject.crl, subject.serialNumber, 'Cessation Of Operation');
  const other = await enrollSubject(session, 'no-reason');
  await revoke(session, other.serialNumber, 'unspecified');
  await untilListed(session, other.crl, other.serialNumber, undefined);
}

async function readLostKey(session: Session): Promise<void> {
  const one = await enrollSubject(session, 'lost-key');
  const other = await enrollSubject(session, 'lost-key-too', { keyFile: one.keyFile });
  await revokeKey(session, one.request.publicKey, '2d');
  for (const { crl: url, serialNumber } of [one, other]) {
    const crl = await untilListed(session, url, serialNumber, 'Key Compromise');
    const { invalidSince, revokedAt } = entryOf(crl, serialNumber) ?? {};
    assert(invalidSince !== undefined && revokedAt !== undefined, 'there must be an invalidityDate');
    assert(Math.abs(revokedAt.getTime() - invalidSince.getTime() - 2 * dayMs) < 60_000, invalidSince.toISOString());
  }
  // Nobody gets a certificate for it again.
  const again = await makeRequest(session, 'again', { keyFile: one.keyFile, subject: ['CN=again.example.com'] });
  const body = toBase64(again.der);
  const answer = await curl(session, { path: estPath('simpleenroll'), body, account: session.stack.demoUser });
  assert.equal(answer.status, 400, describeAnswer(answer));
}

async function compareNumbers(session: Session): Promise<void> {
  const { crl, issuerFile, serialNumber } = await enrollSubject(session, 'numbered');
  const before = await fetchVerified(session, crl, issuerFile);
  await revoke(session, serialNumber, 'superseded');
  const after = await untilListed(session, crl, serialNumber, 'Superseded');
  assert(after.contents.number > before.contents.number);
  assert(after.contents.thisUpdate >= before.contents.thisUpdate);
  assert.equal(entryOf(before, serialNumber), undefined);
}

async function readHold(session: Session): Promise<void> {
  const { crl, serialNumber } = await enrollSubject(session, 'suspended');
  await hold(session, serialNumber);
  await untilListed(session, crl, serialNumber, 'Certificate Hold');
  await release(session, serialNumber);
  await untilUnlisted(session, crl, serialNumber);
}
