import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { checkDomainControl } from '../src/check-domain-control.ts';
import { accountChallengeRecordName } from '../src/dns-01.ts';
import { type Responder, zone } from './support/dns-server.ts';
import { accountUri, controlRequest, createParts, digest, farDeadline } from './support/looking.ts';

const expected = digest.toString('base64url');

async function look(t: TestContext, respond: Responder, overrides: Parameters<typeof controlRequest>[0] = {}) {
  const parts = await createParts(t, respond);
  return checkDomainControl(parts, controlRequest({ method: 'dns-01', ...overrides }), farDeadline());
}

describe('RFC 8555 §8.4: dns-01', () => {
  it('finds the digest of the key authorization below _acme-challenge', async (t) => {
    const finding = await look(t, zone({ '_acme-challenge.a.test': { TXT: [expected] } }));
    assert.equal(finding.result, 'pass');
    assert.equal(finding.expected, expected);
    assert.deepEqual(
      finding.dns.map(({ name, type, rcode }) => [name, type, rcode]),
      [['_acme-challenge.a.test', 'TXT', 'NOERROR']],
    );
    assert.equal(finding.problem, undefined);
  });

  it('finds it among other records, and joined of several strings', async (t) => {
    const parts = [expected.slice(0, 10), expected.slice(10)];
    const finding = await look(t, zone({ '_acme-challenge.a.test': { TXT: ['other', parts] } }));
    assert.equal(finding.result, 'pass');
  });

  it('looks at the same name for a wildcard', async (t) => {
    const identifier = { type: 'dns', value: 'a.test', isWildcard: true };
    const finding = await look(t, zone({ '_acme-challenge.a.test': { TXT: [expected] } }), { identifier });
    assert.deepEqual([finding.result, finding.isWildcard], ['pass', true]);
  });

  it('follows aliases', async (t) => {
    const finding = await look(
      t,
      zone({ '_acme-challenge.a.test': { CNAME: 'a.acme.example' }, 'a.acme.example': { TXT: [expected] } }),
    );
    assert.equal(finding.result, 'pass');
    assert.deepEqual(finding.dns[0]?.aliases, ['a.acme.example']);
  });

  it('says what was found instead, by which resolver', async (t) => {
    const finding = await look(
      t,
      zone({ '_acme-challenge.a.test': { TXT: ['old\u0007', ` ${expected}`, expected.toLowerCase()] } }),
    );
    assert.deepEqual([finding.result, finding.problem?.type], ['fail', 'incorrectResponse']);
    assert.ok(finding.problem?.detail.startsWith(`TXT of _acme-challenge.a.test is 'old?', ' ${expected}'`));
    assert.match(finding.problem?.detail ?? '', /\(resolver 127\.0\.0\.1:\d+\)$/);
  });

  it('says that there is nothing', async (t) => {
    const finding = await look(t, zone({}));
    assert.deepEqual([finding.result, finding.problem?.type], ['fail', 'dns']);
    assert.match(
      finding.problem?.detail ?? '',
      /^_acme-challenge\.a\.test has no TXT record \(NXDOMAIN from resolver 127/,
    );
  });

  it('cannot look when the resolver fails', async (t) => {
    const finding = await look(t, zone({ '_acme-challenge.a.test': { rcode: 2 } }));
    assert.deepEqual([finding.result, finding.problem?.type], ['error', 'dns']);
    assert.match(finding.problem?.detail ?? '', /SERVFAIL/);
  });

  it('cannot look for a name to which _acme-challenge does not fit', async (t) => {
    const value = [63, 63, 63, 61].map((length) => 'a'.repeat(length)).join('.');
    const finding = await look(t, zone({}), { identifier: { type: 'dns', value, isWildcard: false } });
    assert.deepEqual([finding.result, finding.problem?.type], ['error', 'dns']);
  });
});

describe('draft-ietf-acme-dns-account-label-02 §3.1: dns-account-01', () => {
  it('looks below the label of the account', async (t) => {
    assert.equal(
      accountChallengeRecordName('example.org', 'https://example.com/acme/acct/ExampleAccount'),
      '_ujmmovf2vn55tgye._acme-challenge.example.org',
    );
    const name = accountChallengeRecordName('a.test', accountUri);
    const finding = await look(t, zone({ [name]: { TXT: [expected] } }), { method: 'dns-account-01' });
    assert.deepEqual([finding.result, finding.dns[0]?.name], ['pass', name]);
  });

  it('does not look where dns-01 does, nor below the label of another account', async (t) => {
    const other = accountChallengeRecordName('a.test', `${accountUri}4`);
    const records = { '_acme-challenge.a.test': { TXT: [expected] }, [other]: { TXT: [expected] } };
    assert.equal((await look(t, zone(records), { method: 'dns-account-01' })).result, 'fail');
  });
});
