// Searching certificates: newest first, page by page, every filter, and never all at once.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { type CertificateFilter, findCertificates } from '../../src/store/certificate-search.ts';
import { insertCertificate } from '../../src/store/certificates.ts';
import { holdCertificate, revokeCertificate } from '../../src/store/revocations.ts';
import { certificate, event, openTestStore } from './test-store.ts';

const test = await openTestStore();
after(() => test.remove());
const { store } = test;
const start = Date.parse('2026-01-01T00:00:00Z');
const dayMs = 86_400_000;
const total = 2500;
const sharedKey = randomBytes(32);

// Every tenth group of three shares one millisecond; the last third was enrolled through another RA.
const issued = Array.from({ length: total }, (_, i) =>
  certificate({
    serialNumber: `4a01${(total - i).toString(16).padStart(32, '0')}`,
    issuedAt: new Date(start + Math.floor(i / 3) * 1000),
    notAfter: new Date(start + (i % 100) * dayMs),
    profile: i % 2 === 0 ? 'tls-server' : 'tls-client',
    registrationAuthority: i % 3 === 0 ? 'acme' : 'est',
    requester: { kind: 1, id: `user-${i % 7}`, address: '', display: '' },
    searchNames: [`Host-${i % 50}.Example.com`, `only-${i}.example.com`, `only-${i}.example.com`],
    ...(i % 500 === 0 ? { keyFingerprint: sharedKey } : {}),
  }),
);
const newestFirst = [...issued].reverse();
await store.commit({ operations: issued.flatMap(insertCertificate), events: [event()] });
const revoked = issued.filter((_, i) => i % 11 === 0);
const held = issued.filter((_, i) => i % 11 === 1);
const change = ({ serialNumber }: { serialNumber: string }) => ({
  serialNumber,
  reason: 1,
  revokedAt: new Date(start),
  actor: 'spiffe://gatehouse.internal/operator/admin',
});
await store.commit({
  operations: [
    ...revoked.flatMap((one) => revokeCertificate(change(one))),
    ...held.flatMap((one) => holdCertificate(change(one))),
  ],
  events: [event({ action: 'status-changed' })],
});
const now = new Date(start + 50 * dayMs);

async function find(filter: Partial<CertificateFilter>): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const one of findCertificates(store, { limit: 10_000, ...filter }, now)) found.push(one.serialNumber);
  return found;
}

function expected(matches: (one: (typeof issued)[number]) => boolean): readonly string[] {
  return newestFirst.filter(matches).map(({ serialNumber }) => serialNumber);
}

describe('FindCertificates: order and pages', () => {
  it('gives everything, newest first, in the order of issue within a millisecond', async () => {
    assert.deepEqual(
      await find({}),
      expected(() => true),
    );
  });

  it('stops at the limit', async () => {
    assert.deepEqual(await find({ limit: 5 }), expected(() => true).slice(0, 5));
    assert.deepEqual(await find({ limit: 0 }), []);
  });

  for (const filter of [
    {},
    { name: 'host-7.example.com' },
    { registrationAuthority: 'acme' },
    { profile: 'tls-client' },
  ]) {
    it(`goes on after the last page, without a gap or a repetition: ${JSON.stringify(filter)}`, async () => {
      const pages: string[] = [];
      let page = await find({ ...filter, limit: 97 });
      while (page.length > 0) {
        pages.push(...page);
        page = await find({ ...filter, limit: 97, afterSerialNumber: pages.at(-1) });
      }
      assert.deepEqual(pages, await find(filter));
      assert.ok(pages.length > 0);
    });
  }

  it('gives nothing after a certificate that nobody issued', async () => {
    assert.deepEqual(await find({ afterSerialNumber: 'ff' }), []);
  });
});

describe('FindCertificates: conditions', () => {
  const conditions: readonly [Partial<CertificateFilter>, (one: (typeof issued)[number]) => boolean][] = [
    [{ name: 'only-42.example.com' }, (one) => one.searchNames.includes('only-42.example.com')],
    [{ name: 'HOST-3.example.COM' }, (one) => one.searchNames[0] === 'Host-3.Example.com'],
    [{ name: 'host-3' }, () => false],
    [{ profile: 'tls-client' }, (one) => one.profile === 'tls-client'],
    [{ registrationAuthority: 'acme' }, (one) => one.registrationAuthority === 'acme'],
    [{ requesterId: 'user-3' }, (one) => one.requester.id === 'user-3'],
    [{ requesterId: 'nobody' }, () => false],
    [{ keyFingerprint: sharedKey }, (one) => one.keyFingerprint === sharedKey],
    [{ expiresBefore: new Date(start + 3 * dayMs) }, (one) => one.notAfter.getTime() < start + 3 * dayMs],
    [{ expiresAfter: new Date(start + 97 * dayMs) }, (one) => one.notAfter.getTime() >= start + 97 * dayMs],
    [{ issuedAfter: new Date(start + 800_000) }, (one) => one.issuedAt.getTime() >= start + 800_000],
    [{ standing: 'revoked' }, (one) => revoked.includes(one)],
    [{ standing: 'held' }, (one) => held.includes(one)],
    [{ standing: 'valid' }, (one) => !revoked.includes(one) && !held.includes(one) && one.notAfter >= now],
    [{ standing: 'expired' }, (one) => !revoked.includes(one) && !held.includes(one) && one.notAfter < now],
    [
      { name: 'host-4.example.com', registrationAuthority: 'est', standing: 'valid', profile: 'tls-server' },
      (one) =>
        one.searchNames[0] === 'Host-4.Example.com' &&
        one.registrationAuthority === 'est' &&
        !revoked.includes(one) &&
        !held.includes(one) &&
        one.notAfter >= now &&
        one.profile === 'tls-server',
    ],
  ];
  for (const [filter, matches] of conditions) {
    it(JSON.stringify(filter), async () => assert.deepEqual(await find(filter), expected(matches)));
  }

  it('come with the revocation', async () => {
    for await (const one of findCertificates(store, { limit: 3, standing: 'held' }, now)) {
      assert.equal(one.revocation?.state, 'held');
    }
  });
});

describe('CORE.md: nothing lists everything at once', () => {
  it('lets others have their turn during a search that matches nothing', async () => {
    let turns = 0;
    let isSearching = true;
    const count = (): void => {
      turns += 1;
      if (isSearching) setImmediate(count);
    };
    setImmediate(count);
    await find({ requesterId: 'nobody', limit: 1000 });
    isSearching = false;
    assert.ok(turns >= 2, `${turns} turns`);
  });
});
