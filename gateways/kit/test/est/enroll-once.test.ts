import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { enrollOnce } from '@gatehouse/gateway-kit/est/enroll-once';
import { type CertificateRecord, CertificateState } from '@gatehouse/ra-client/client';
import type { Enrollment, EnrollmentOutcome } from '@gatehouse/ra-client/enrollment';
import { createManualClock } from '@gatehouse/runtime/clock';

const windowMs = 600_000;
const spki = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'der', type: 'spki' });

/** A keep that remembers answers by key and lists its certificates newest first, as the real one does. */
function createKeep() {
  const clock = createManualClock(new Date('2026-01-01T00:00:00Z'));
  const answers = new Map<string, EnrollmentOutcome>();
  const records: CertificateRecord[] = [];
  let needsApproval = false;
  let calls = 0;
  const issue = (key: string): EnrollmentOutcome => {
    const serialNumber = String(records.length + 1).padStart(4, '0');
    records.unshift({
      serialNumber,
      issuedAt: clock.now(),
      state: CertificateState.CERTIFICATE_STATE_VALID,
    } as CertificateRecord);
    const times = { notBefore: clock.now(), notAfter: clock.now() };
    const answer = { kind: 'issued', requestId: key, certificate: spki, chain: [], serialNumber, ...times } as const;
    answers.set(key, { ...answer, isRepeated: true });
    return { ...answer, isRepeated: false };
  };
  const core = {
    enroll: async ({ idempotencyKey: key }: Enrollment): Promise<EnrollmentOutcome> => {
      calls++;
      const known = answers.get(key);
      if (known !== undefined) return known;
      if (!needsApproval) return issue(key);
      answers.set(key, { kind: 'pending', requestId: key, retryAfterSeconds: 60 });
      return { kind: 'pending', requestId: key, retryAfterSeconds: 60 };
    },
    findCertificates: async function* () {
      calls++;
      yield* records;
    },
  };
  const enroll = (base: string, window = windowMs) =>
    enrollOnce(
      { core, clock, windowMs: window, requestId: 'r' },
      { profile: 'p', subjectKey: { kind: 'certification-request', der: spki }, requester: { kind: 'user', id: 'u' } },
      base,
      spki,
    );
  return {
    clock,
    records,
    enroll,
    serialOf: async (base: string, window?: number) => {
      const outcome = await enroll(base, window);
      return outcome.kind === 'issued' ? outcome.serialNumber : outcome.kind;
    },
    setNeedsApproval: (value: boolean) => {
      needsApproval = value;
    },
    approveAll: () => {
      for (const [key, answer] of answers) if (answer.kind === 'pending') issue(key);
    },
    takeCalls: () => {
      const taken = calls;
      calls = 0;
      return taken;
    },
  };
}

describe('retry safety', () => {
  it('gives the same certificate within the window, with one call for a first request', async () => {
    const keep = createKeep();
    assert.equal(await keep.serialOf('a'), '0001');
    assert.equal(keep.takeCalls(), 1);
    keep.clock.advance(windowMs - 1);
    assert.equal(await keep.serialOf('a'), '0001');
  });

  it('gives a new one after the window, and that one again within its own window, year after year', async () => {
    const keep = createKeep();
    for (let year = 1; year <= 200; year++) {
      const expected = String(year).padStart(4, '0');
      assert.equal(await keep.serialOf('a'), expected);
      keep.clock.advance(windowMs / 2);
      assert.equal(await keep.serialOf('a'), expected);
      keep.clock.advance(365 * 86_400_000);
    }
    keep.takeCalls();
    await keep.serialOf('a');
    assert.ok(keep.takeCalls() <= 3, 'the number of calls does not grow with the years');
  });

  it('gives a new one at once when the certificate was revoked', async () => {
    const keep = createKeep();
    assert.equal(await keep.serialOf('a'), '0001');
    const [record] = keep.records;
    assert.ok(record !== undefined);
    keep.records[0] = { ...record, state: CertificateState.CERTIFICATE_STATE_REVOKED };
    assert.equal(await keep.serialOf('a'), '0002');
    assert.equal(await keep.serialOf('a'), '0002');
  });

  it('joins the pending request however long it takes, also in a later epoch', async () => {
    const keep = createKeep();
    assert.equal(await keep.serialOf('a'), '0001');
    keep.clock.advance(400 * 86_400_000);
    keep.setNeedsApproval(true);
    assert.equal(await keep.serialOf('a'), 'pending');
    keep.clock.advance(30 * 86_400_000);
    assert.equal(await keep.serialOf('a'), 'pending');
    keep.approveAll();
    keep.clock.advance(60_000);
    assert.equal(await keep.serialOf('a'), '0002');
  });

  it('never gives a second certificate when the window has no end', async () => {
    const keep = createKeep();
    assert.equal(await keep.serialOf('a', Number.POSITIVE_INFINITY), '0001');
    keep.clock.advance(9_999_999_999_999);
    assert.equal(await keep.serialOf('a', Number.POSITIVE_INFINITY), '0001');
  });

  it('keeps different requests with the same key apart within the window', async () => {
    const keep = createKeep();
    assert.equal(await keep.serialOf('a'), '0001');
    assert.equal(await keep.serialOf('b'), '0002');
    assert.equal(await keep.serialOf('a'), '0001');
  });
});
