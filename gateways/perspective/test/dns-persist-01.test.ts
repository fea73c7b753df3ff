import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { checkDomainControl } from '../src/check-domain-control.ts';
import { accountHash, judgePersistentRecord } from '../src/dns-persist-01.ts';
import { zone } from './support/dns-server.ts';
import { accountUri, controlRequest, createParts, standingClock, thumbprint } from './support/looking.ts';

const hash = accountHash('a.test', thumbprint, accountUri);
const hashed = `https://ca.example/acct-hash/sha-256/${hash}`;
const former = 'F'.repeat(43);
const now = '2026-11-21T12:00:00Z';
const seconds = (text: string) => new Date(text).getTime() / 1000;

type Overrides = Parameters<typeof controlRequest>[0];

async function look(t: TestContext, records: readonly string[], overrides: Overrides = {}, prefix?: string) {
  const { clock, deadline } = standingClock(now);
  const respond = zone({
    '_validation-persist.a.test': { TXT: records.map((text) => text.match(/.{1,200}/g) ?? ['']) },
  });
  const parts = await createParts(t, respond, { clock, accountHashPrefix: prefix });
  return checkDomainControl(parts, controlRequest({ method: 'dns-persist-01', token: '', ...overrides }), deadline);
}

async function refuses(t: TestContext, record: string, why: RegExp, overrides: Overrides = {}) {
  const finding = await look(t, [record], overrides);
  assert.deepEqual([finding.result, finding.problem?.type], ['fail', 'incorrectResponse'], record);
  assert.match(finding.problem?.detail ?? '', why);
}

describe('draft-ietf-acme-dns-persist-02: the hashed account', () => {
  it('is the one of the test vectors', () => {
    const vector = (domain: string) => accountHash(domain, thumbprint, 'https://ca.example/acct/123');
    assert.equal(vector('example.com'), '5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw');
    assert.equal(vector('*'), 'NpDnSwUthQK8zCgFdefYxAdAVPnygMLbs9US6oO-5ug');
  });
});

describe('draft-ietf-acme-dns-persist-02: a record', () => {
  it('of this CA with the hashed account proves control of its name alone', async (t) => {
    const record = `ca.example; accounturi=${hashed}`;
    const finding = await look(t, ['v=spf1 -all', 'other.example; accounturi=x', record]);
    assert.equal(finding.result, 'pass');
    assert.deepEqual([finding.expected, finding.coversSubdomains, finding.persistUntil], [record, false, undefined]);
    assert.equal(finding.token, undefined);
    assert.equal(finding.thumbprint, thumbprint);
  });

  it('may be hashed for any name, and for any key that the account ever had', async (t) => {
    const any = accountHash('*', thumbprint, accountUri);
    assert.equal((await look(t, [`ca.example; accounturi=https://x.example/sha-256/${any}`])).result, 'pass');
    const old = `ca.example; accounturi=https://x.example/sha-256/${accountHash('a.test', former, accountUri)}`;
    await refuses(t, old, /for another account/);
    const finding = await look(t, [old], { thumbprints: [thumbprint, former] });
    // What the record proves is proven for the key that it names, whichever of them the gate put first.
    assert.deepEqual([finding.result, finding.thumbprint], ['pass', former]);
  });

  it('is for another account when name, key, URL, algorithm or prefix is another', async (t) => {
    for (const account of [
      `https://ca.example/acct-hash/sha-256/${accountHash('b.test', thumbprint, accountUri)}`,
      `https://ca.example/acct-hash/sha-256/${accountHash('a.test', thumbprint, `${accountUri}4`)}`,
      `https://ca.example/acct-hash/sha-512/${hash}`,
      `http://ca.example/acct-hash/sha-256/${hash}`,
      `sha-256/${hash}`,
      `https://ca.example/acct-hash/sha-256/${hash}/`,
      accountUri,
    ]) {
      await refuses(t, `ca.example; accounturi=${account}`, /for another account/);
    }
    assert.equal((await look(t, [`ca.example; accounturi=${hashed}`], {}, 'https://other.example/')).result, 'fail');
    assert.equal(
      (await look(t, [`ca.example; accounturi=${hashed}`], {}, 'https://ca.example/acct-hash/')).result,
      'pass',
    );
  });

  it('speaks for wildcards and subdomains only with policy=wildcard, in any case', async (t) => {
    const identifier = { type: 'dns', value: 'a.test', isWildcard: true };
    await refuses(t, `ca.example; accounturi=${hashed}`, /no policy=wildcard/, { identifier });
    await refuses(t, `ca.example; accounturi=${hashed}; policy=all`, /no policy=wildcard/, { identifier });
    const finding = await look(t, [`ca.example; accounturi=${hashed}; Policy=WildCard`], { identifier });
    assert.deepEqual([finding.result, finding.coversSubdomains], ['pass', true]);
  });

  it('holds until persistUntil, and tells it', async (t) => {
    const until = (value: number | string) => `ca.example; accounturi=${hashed}; persistUntil=${value}`;
    const finding = await look(t, [until(seconds('2026-12-01T00:00:00Z'))]);
    assert.deepEqual([finding.result, finding.persistUntil], ['pass', '2026-12-01T00:00:00.000Z']);
    await refuses(t, until(seconds('2026-11-21T11:59:59Z')), /held until 2026-11-21T11:59:59/);
    for (const value of ['', '1.5', '-1', '0x10', '2026-12-01', '1e9', '9'.repeat(21)]) {
      await refuses(t, until(value), /no number of seconds/);
    }
    assert.equal((await look(t, [until('9'.repeat(20))])).persistUntil, '9999-12-31T23:59:59.000Z');
  });

  it('that holds longest counts, of several', async (t) => {
    const until = (text: string) => `ca.example; accounturi=${hashed}; persistUntil=${seconds(text)}`;
    const finding = await look(t, [until('2026-12-01T00:00:00Z'), until('2027-01-01T00:00:00Z')]);
    assert.equal(finding.persistUntil, '2027-01-01T00:00:00.000Z');
    const open = await look(t, [until('2026-12-01T00:00:00Z'), `ca.example; accounturi=${hashed}`]);
    assert.equal(open.persistUntil, undefined);
  });

  it('may have unknown parameters, and is void when one stands there twice', async (t) => {
    assert.equal((await look(t, [`ca.example; accounturi=${hashed}; x-new=1`])).result, 'pass');
    await refuses(t, `ca.example; accounturi=${hashed}; accounturi=${hashed}`, /two parameters accounturi/);
    await refuses(t, `ca.example; accounturi=${hashed}; policy=wildcard; POLICY=wildcard`, /two parameters policy/);
    await refuses(t, `ca.example; accounturi=${hashed}; x=1; x=2`, /two parameters x/);
    await refuses(t, 'ca.example; policy=wildcard', /no parameter accounturi/);
  });

  it('of another CA, or that is no issue-value, is passed over', async (t) => {
    for (const record of ['other.example; accounturi=x', 'ca.example accounturi=x', '', ';']) {
      await refuses(t, record, /none of 1 records names ca\.example/);
    }
  });

  it('may be reached by an alias; that there is none is told', async (t) => {
    const { clock, deadline } = standingClock(now);
    const request = controlRequest({ method: 'dns-persist-01', token: '' });
    const alias = zone({
      '_validation-persist.a.test': { CNAME: 'p.example' },
      'p.example': { TXT: [`ca.example; accounturi=${hashed}`] },
    });
    assert.equal((await checkDomainControl(await createParts(t, alias, { clock }), request, deadline)).result, 'pass');
    const none = await checkDomainControl(await createParts(t, zone({}), { clock }), request, deadline);
    assert.deepEqual([none.result, none.problem?.type], ['fail', 'dns']);
  });
});

describe('draft-ietf-acme-dns-persist-01: a record', () => {
  it('has the URL of the account itself', async (t) => {
    const finding = await look(t, [`ca.example; accounturi=${accountUri}`], { variant: 'draft-01' });
    assert.equal(finding.result, 'pass');
    await refuses(t, `ca.example; accounturi=${hashed}`, /for another account/, { variant: 'draft-01' });
    await refuses(t, `ca.example; accounturi=${accountUri}/`, /for another account/, { variant: 'draft-01' });
  });
});

describe('acme.md §6: records that strangers wrote', () => {
  it('are proof, foreign or void, whatever they are', () => {
    const subject = {
      name: 'a.test',
      isWildcard: false,
      accountUri,
      thumbprints: [thumbprint],
      variant: 'draft-02',
    } as const;
    const rules = { issuerDomainNames: ['ca.example'], accountHashPrefix: undefined, now: new Date(now) };
    const piece = fc.constantFrom(
      'ca.example',
      ';',
      '=',
      'accounturi',
      hashed,
      'policy',
      'wildcard',
      'persistUntil',
      '99999999999',
      ' ',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(piece).map((list) => list.join('')),
    );
    fc.assert(
      fc.property(text, (record) => {
        const verdict = judgePersistentRecord(record, subject, rules);
        if (verdict.kind === 'proof') assert.ok(record.includes(hash));
      }),
      { numRuns: 3000 },
    );
  });
});
