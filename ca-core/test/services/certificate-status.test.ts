// The service that the status gate calls, over the wire: what is signed, live and in advance, and how it is followed.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { type OcspHash, writeCertificateId } from '@gatehouse/pkix/ocsp/certificate-id';
import { readOcspResponse } from '@gatehouse/pkix/ocsp/response-contents';
import { verifyOcspResponse } from '@gatehouse/pkix/ocsp/verify-response';
import type {
  GetOcspResponsesResponse,
  OcspQuery,
  OcspResponse,
  Publication,
  StatusChanges,
} from '@gatehouse/proto/certificate-status';
import { RevocationReason } from '@gatehouse/proto/types';
import { createManualClock } from '@gatehouse/runtime/clock';
import { authoritiesOf } from '../support/credentials.ts';
import { assertAuditHolds, certificationRequest, enrollRequest, issue, refused } from '../support/enrollment.ts';
import { type Connection, startTestCore, unary } from '../support/running-core.ts';
import {
  changeStatus,
  connectStatusGate,
  entriesOf,
  fetchCrl,
  fetchCrlWhen,
  followStatus,
  readSuccessful,
  type StatusFollower,
} from '../support/status.ts';

const clock = createManualClock(new Date());
const core = await startTestCore(
  ['core.status.baseUrl=http://status.example.com', 'core.status.issuing.ocsp.liveSignaturesPerSecond=20'],
  { clock },
);
after(() => core.stop());
const gate = await connectStatusGate(core);
const follower = followStatus(gate.status);
const { issuing, root } = authoritiesOf(core.directory);

async function obtain(connection: Connection = gate, profile = 'tls-server'): Promise<string> {
  const request = enrollRequest(certificationRequest({ names: ['DNS:a.example.com'] }), { profile });
  return (await issue(connection.authority, request)).serialNumber;
}

function queryFor(serialNumbers: readonly string[], nonce = Buffer.alloc(0), hash: OcspHash = 'sha1'): OcspQuery {
  const certificateIds = serialNumbers.map((one) => Buffer.from(writeCertificateId(hash, issuing.certificate, one)));
  return { certificateIds, nonce };
}

async function ask(queries: readonly OcspQuery[], connection: Connection = gate): Promise<readonly OcspResponse[]> {
  const { responses } = await unary<GetOcspResponsesResponse>((callback) =>
    connection.status.getOcspResponses({ queries: [...queries] }, callback),
  );
  return responses;
}

async function askOne(query: OcspQuery, connection: Connection = gate) {
  const [answer, ...others] = await ask([query], connection);
  assert.ok(answer !== undefined && others.length === 0);
  return { ...answer, contents: readSuccessful(answer.response) };
}

async function statusOf(query: OcspQuery, connection: Connection = gate): Promise<readonly string[]> {
  const { contents } = await askOne(query, connection);
  return contents.singles.map(({ status }) => status.kind);
}

function verify(response: Buffer): void {
  const contents = readSuccessful(response);
  const verification = verifyOcspResponse(contents, { issuer: issuing.certificate, now: clock.now() });
  assert.ok(verification.ok, JSON.stringify(verification));
}

const isRevoked = (serialNumber: string) => (told: StatusFollower) =>
  told.responses.has(serialNumber) &&
  readSuccessful(told.ocspResponse(serialNumber)).singles[0]?.status.kind === 'revoked';

describe('the publication', () => {
  it('names issuers with their certificates, and the CRLs that there are', async () => {
    await follower.until(({ crls }) => crls.has('root'));
    const found = await unary<Publication>((callback) => gate.status.getPublication({}, callback));
    assert.deepEqual(
      found.issuers.map(({ name, certificate, hasOcsp, answersNonce }) => [
        name,
        readCertificate(certificate).subjectDer,
        hasOcsp,
        answersNonce,
      ]),
      [
        ['issuing', issuing.certificate.subjectDer, true, false],
        ['root', root.subjectDer, false, false],
      ].map(([name, subject, ...rest]) => [name, Buffer.from(subject as Uint8Array), ...rest]),
    );
    assert.deepEqual(found.scopes, [
      { name: 'issuing', authority: 'issuing', hasDelta: true },
      { name: 'issuing-ca', authority: 'issuing', hasDelta: true },
      { name: 'issuing-1', authority: 'issuing', hasDelta: true },
      { name: 'root', authority: 'root', hasDelta: false },
    ]);
    assert.equal(found.epoch, follower.messages[0]?.epoch);
  });
});

describe('a response that is signed in advance', () => {
  it('is told of when a certificate was issued, for both hashes, and verifies', async () => {
    const serialNumber = await obtain();
    await follower.until(({ responses }) => responses.has(serialNumber));
    for (const hash of ['sha1', 'sha256'] as const) {
      const response = follower.ocspResponse(serialNumber, hash);
      verify(response);
      const [single] = readSuccessful(response).singles;
      assert.deepEqual([single?.certificateId.hash, single?.status.kind], [hash, 'good']);
    }
  });

  it('is told of again at once when the status changes', async () => {
    const serialNumber = await obtain();
    await changeStatus(gate.authority, serialNumber, RevocationReason.REVOCATION_REASON_CERTIFICATE_HOLD);
    await follower.until(isRevoked(serialNumber));
    const [held] = readSuccessful(follower.ocspResponse(serialNumber)).singles;
    assert.ok(held?.status.kind === 'revoked');
    assert.equal(held.status.reason, RevocationReason.REVOCATION_REASON_CERTIFICATE_HOLD);
    await changeStatus(gate.authority, serialNumber, RevocationReason.REVOCATION_REASON_REMOVE_FROM_CRL);
    await follower.until((told) => !isRevoked(serialNumber)(told));
  });

  it('does not exist for certificates that say that none is published, and those are answered for all the same', async () => {
    const unpublished = await obtain(gate, 'tls-server-short-lived');
    const published = await obtain();
    await follower.until(({ responses }) => responses.has(published));
    assert.ok(!follower.responses.has(unpublished));
    assert.deepEqual(await statusOf(queryFor([unpublished])), ['good']);
  });
});

describe('following', () => {
  it('goes on where it was, and brings a reader up to date that was away', async () => {
    const before = await obtain();
    await follower.until(({ responses }) => responses.has(before));
    const first = followStatus(gate.status);
    await first.until(({ messages }) => messages.at(-1)?.isCurrent === true);
    assert.equal(first.responses.size, follower.responses.size);
    first.cancel();
    await first.ended;
    const missed = await obtain();
    await follower.until(({ responses }) => responses.has(missed));
    const second = followStatus(gate.status, first.position());
    await second.until(({ responses }) => responses.has(missed));
    assert.deepEqual([...second.responses.keys()], [missed]);
    // CRLs have no positions: the newest are told of on every stream.
    assert.ok(second.crls.has('issuing'));
    second.cancel();
  });

  it('begins anew from a position of another epoch', async () => {
    const { afterPosition } = follower.position();
    const other = followStatus(gate.status, { epoch: 'another', afterPosition });
    await other.until(({ messages }) => messages.at(-1)?.isCurrent === true);
    assert.equal(other.responses.size, follower.responses.size);
    other.cancel();
  });

  it('begins anew from a position that is ahead: it was given out before a backup was restored', async () => {
    const { epoch, afterPosition } = follower.position();
    const other = followStatus(gate.status, { epoch, afterPosition: afterPosition + 1_000_000 });
    await other.until(({ messages }) => messages.at(-1)?.isCurrent === true);
    assert.equal(other.responses.size, follower.responses.size);
    // Lower than what the reader has seen: by that it knows.
    assert.equal(other.position().afterPosition, afterPosition);
    other.cancel();
  });

  it('is told that nothing is new', async () => {
    const isEmpty = (message: StatusChanges) => message.responses.length + message.crls.length === 0;
    const before = follower.messages.length;
    const found = await follower.until(({ messages }) => messages.slice(before).find(isEmpty));
    assert.deepEqual([found.isCurrent, found.position], [true, follower.position().afterPosition]);
  });

  it('waits for a reader that pauses, and leaves nothing out', async () => {
    const stream = gate.status.watchStatus({ epoch: '', afterPosition: 0 });
    const told = new Map<string, number>();
    const positions: number[] = [];
    const isDone = Promise.withResolvers<void>();
    const serials = await Promise.all(Array.from({ length: 300 }, () => obtain()));
    stream.on('data', ({ position, responses }: StatusChanges) => {
      positions.push(position);
      for (const { serialNumber } of responses) told.set(serialNumber, position);
      if (serials.every((one) => told.has(one))) isDone.resolve();
      stream.pause();
      setImmediate(() => stream.resume());
    });
    stream.on('error', () => undefined);
    await isDone.promise;
    stream.cancel();
    assert.deepEqual(
      positions,
      positions.toSorted((a, b) => a - b),
    );
  });

  it('names each responder once, before its first response', () => {
    const responders = follower.messages.flatMap(({ responders: told }) => told);
    assert.equal(responders.length, 1);
    const first = follower.messages.findIndex(({ responses }) => responses.length > 0);
    assert.ok(follower.messages[first]?.responders.length === 1);
  });
});

describe('RFC 6960 §4.2: a response that is signed on request', () => {
  it('answers for several certificates at once, in the order of the request', async () => {
    const [good, revoked] = [await obtain(), await obtain()];
    await changeStatus(gate.authority, revoked, RevocationReason.REVOCATION_REASON_KEY_COMPROMISE);
    const never = `4a01${randomBytes(16).toString('hex')}`;
    const { response, contents, thisUpdate, nextUpdate } = await askOne(
      queryFor([revoked, never, good], undefined, 'sha256'),
    );
    verify(response);
    assert.deepEqual(
      contents.singles.map(({ status }) => status.kind),
      ['revoked', 'unknown', 'good'],
    );
    assert.deepEqual(contents.singles[0]?.thisUpdate, thisUpdate);
    assert.deepEqual(contents.singles[0]?.nextUpdate, nextUpdate);
  });

  it('§4.2.2.3: repeats the CertID of the request octet for octet', async () => {
    const query = queryFor([await obtain()]);
    const { contents } = await askOne(query);
    assert.deepEqual(Buffer.from(contents.singles[0]?.certificateId.der ?? []), query.certificateIds[0]);
  });

  it('RFC 9654: ignores a nonce unless told to answer it', async () => {
    const { contents } = await askOne(queryFor([await obtain()], randomBytes(32)));
    assert.equal(contents.nonce, undefined);
  });

  it('§2.3: is not given for another issuer or an unknown hash: unauthorized, without a signature', async () => {
    const serialNumber = await obtain();
    const foreign = Buffer.from(writeCertificateId('sha1', root, serialNumber));
    const [own = foreign] = queryFor([serialNumber]).certificateIds;
    // sha1 (1.3.14.3.2.26) made into 1.3.14.3.2.29.
    const unknownHash = Buffer.from(own.toString('hex').replace('06052b0e03021a', '06052b0e03021d'), 'hex');
    const queries = [[foreign], [own, foreign], [unknownHash]].map((certificateIds) => ({
      certificateIds,
      nonce: Buffer.alloc(0),
    }));
    for (const { response, thisUpdate, nextUpdate } of await ask(queries)) {
      assert.deepEqual(readOcspResponse(response), { status: 'unauthorized' });
      assert.deepEqual([thisUpdate, nextUpdate], [undefined, undefined]);
    }
  });

  it('is malformedRequest for what is no CertID, none, too many, or a nonce that is too long', async () => {
    const serialNumber = await obtain();
    const [own = Buffer.alloc(0)] = queryFor([serialNumber]).certificateIds;
    const queries: readonly OcspQuery[] = [
      { certificateIds: [Buffer.from('nonsense')], nonce: Buffer.alloc(0) },
      { certificateIds: [], nonce: Buffer.alloc(0) },
      { certificateIds: Array.from({ length: 17 }, () => own), nonce: Buffer.alloc(0) },
      { certificateIds: [own], nonce: Buffer.alloc(129) },
    ];
    for (const { response } of await ask(queries)) {
      assert.deepEqual(readOcspResponse(response), { status: 'malformedRequest' });
    }
  });

  it('is refused as a whole for more than sixteen requests', async () => {
    const query = queryFor([await obtain()]);
    await refused(ask(Array.from({ length: 17 }, () => query)), 'malformed');
  });

  it('is limited in rate, and what needs no signature is not', async () => {
    const query = queryFor([await obtain()]);
    const foreign = { certificateIds: [Buffer.from('nonsense')], nonce: Buffer.alloc(0) };
    const other = core.connect(await core.addRegistrationAuthority({ name: 'other', profiles: [] }));
    clock.advance(2000);
    await ask(Array.from({ length: 16 }, () => query));
    const error = await refused(ask(Array.from({ length: 16 }, () => query)), 'rate-limited', /20 OCSP responses/);
    assert.equal(error.retryAfterSeconds, 1);
    await ask([foreign]);
    // Another gate has an allowance of its own.
    await ask(
      Array.from({ length: 16 }, () => query),
      other,
    );
    clock.advance(1000);
    await ask([query]);
  });
});

describe('a CRL over the wire', () => {
  it('comes with its facts first, whole', async () => {
    const serialNumber = await obtain();
    await changeStatus(gate.authority, serialNumber);
    const isListed = (entries: Readonly<Record<string, number>>) => entries[serialNumber] !== undefined;
    const { facts, der, crl } = await fetchCrlWhen(gate.status, follower, { scope: 'issuing-1' }, isListed);
    assert.deepEqual([facts.size, BigInt(facts.crlNumber)], [der.length, crl.crlNumber]);
    assert.deepEqual([facts.thisUpdate, facts.nextUpdate], [crl.thisUpdate, crl.nextUpdate]);
    assert.equal(facts.entries, Object.keys(entriesOf(crl)).length);
    assert.equal(entriesOf(crl)[serialNumber], RevocationReason.REVOCATION_REASON_SUPERSEDED);
  });

  it('is not found when there is none of that name', async () => {
    for (const [scope, isDelta] of [
      ['nonsense', false],
      ['issuing-1-delta', false],
      ['root', true],
      ['../core', false],
    ] as const) {
      await refused(fetchCrl(gate.status, scope, isDelta), 'not-found');
    }
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
