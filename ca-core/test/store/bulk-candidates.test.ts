// Walking through all certificates that a selection means: every one once, whatever the slices, and nothing else.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { type CertificateSelection, lastCertificatePosition, readSlice } from '../../src/store/bulk-candidates.ts';
import { insertCertificate } from '../../src/store/certificates.ts';
import { holdCertificate, revokeCertificate } from '../../src/store/revocations.ts';
import { certificate, event, openTestStore } from './test-store.ts';

const test = await openTestStore();
after(() => test.remove());
const { store } = test;
const start = Date.parse('2026-01-01T00:00:00Z');
const dayMs = 86_400_000;
const total = 600;
const now = new Date(start + 50 * dayMs);
const sharedKey = randomBytes(32);
// The first octets are all that the index has.
const similarKey = Buffer.concat([sharedKey.subarray(0, 8), randomBytes(24)]);
const authorities = ['issuing', 'issuing', 'issuing', 'service'];

// Three share a millisecond, and the clock was set back twice.
const issued = Array.from({ length: total }, (_, i) =>
  certificate({
    issuedAt: new Date(start + Math.floor((i % 250) / 3) * 1000),
    notAfter: new Date(start + (i % 100) * dayMs),
    authority: authorities[i % 4] ?? 'issuing',
    profile: i % 2 === 0 ? 'tls-server' : 'tls-client',
    registrationAuthority: i % 50 === 49 ? '' : i % 3 === 0 ? 'acme' : 'est',
    requester: { kind: 1, id: `user-${i % 7}`, address: '', display: '' },
    ...(i % 10 === 0 ? { keyFingerprint: sharedKey } : i % 10 === 5 ? { keyFingerprint: similarKey } : {}),
  }),
);
await store.commit({ operations: issued.flatMap(insertCertificate), events: [event()] });
const revocation = ({ serialNumber }: { serialNumber: string }) => ({
  serialNumber,
  reason: 1,
  revokedAt: now,
  actor: 'admin',
});
await store.commit({
  operations: issued.flatMap((one, i) => {
    if (i % 11 === 0) return revokeCertificate(revocation(one));
    return i % 11 === 1 ? holdCertificate(revocation(one)) : [];
  }),
  events: [event({ action: 'status-changed' })],
});

async function walk(selection: CertificateSelection, limit: number, endPosition = total) {
  const found: { position: number; serialNumber: string; standing: string | undefined }[] = [];
  let position = 0;
  for (;;) {
    const slice = await readSlice(store, { selection, endPosition, unexpiredAt: now }, position, limit);
    found.push(...slice.candidates);
    if (slice.isLast) return found;
    assert.notEqual(slice.lastPosition, position, 'the walk does not get on');
    position = slice.lastPosition;
  }
}

function isMeant(one: (typeof issued)[number], selection: CertificateSelection): boolean {
  const { profile, registrationAuthority, requesterId, authority, issuedAfter, issuedBefore, keyFingerprint } =
    selection;
  return (
    one.authority !== 'service' &&
    one.registrationAuthority !== '' &&
    one.notAfter >= now &&
    (profile === undefined || one.profile === profile) &&
    (registrationAuthority === undefined || one.registrationAuthority === registrationAuthority) &&
    (requesterId === undefined || one.requester.id === requesterId) &&
    (authority === undefined || one.authority === authority) &&
    (issuedAfter === undefined || one.issuedAt >= issuedAfter) &&
    (issuedBefore === undefined || one.issuedAt < issuedBefore) &&
    (keyFingerprint === undefined || Buffer.compare(one.keyFingerprint, keyFingerprint) === 0)
  );
}

const time = fc.integer({ min: -1, max: 84 }).map((second) => new Date(start + second * 1000));
const selections = fc.record(
  {
    profile: fc.constantFrom('tls-server', 'tls-client', 'none'),
    registrationAuthority: fc.constantFrom('acme', 'est', 'none'),
    requesterId: fc.constantFrom('user-0', 'user-3', 'none'),
    authority: fc.constantFrom('issuing', 'service', 'none'),
    issuedAfter: time,
    issuedBefore: time,
    keyFingerprint: fc.constantFrom(sharedKey, similarKey, randomBytes(32)),
  },
  { requiredKeys: [] },
);

describe('certificates that a bulk revocation means', () => {
  it('are found all and once, for any conditions and any size of the slices', async () => {
    await fc.assert(
      fc.asyncProperty(selections, fc.integer({ min: 1, max: 700 }), async (selection, limit) => {
        const found = await walk(selection, limit);
        const expected = issued.flatMap((one) => (isMeant(one, selection) ? one.serialNumber : []));
        assert.deepEqual(found.map(({ serialNumber }) => serialNumber).sort(), expected.sort());
      }),
      { numRuns: 150 },
    );
  });

  it('come with how they stand', async () => {
    for (const { position, standing } of await walk({}, 100)) {
      const expected = (position - 1) % 11 === 0 ? 'revoked' : (position - 1) % 11 === 1 ? 'held' : undefined;
      assert.equal(standing, expected, `position ${position}`);
    }
  });

  it('are none that were recorded after the end', async () => {
    const found = await walk({ authority: 'issuing' }, 50, 400);
    assert.ok(found.length > 0 && found.every(({ position }) => position <= 400));
  });

  it('the last position is that of the newest certificate', () => {
    assert.equal(lastCertificatePosition(store), total);
  });
});
