import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { checkCaa } from '../src/check-caa.ts';
import { type Responder, zone } from './support/dns-server.ts';
import { accountUri, caaRequest, createParts, farDeadline } from './support/looking.ts';

type Record = readonly [flags: number, tag: string, value: string];
type Overrides = { readonly value?: string; readonly isWildcard?: boolean; readonly method?: string };

async function look(
  t: TestContext,
  respond: Responder,
  { value = 'a.test', isWildcard = false, method = 'dns-01' }: Overrides = {},
) {
  const parts = await createParts(t, respond);
  return checkCaa(parts, caaRequest({ identifier: { type: 'dns', value, isWildcard }, method }), farDeadline());
}

async function decides(
  t: TestContext,
  records: readonly Record[],
  expected: 'pass' | RegExp,
  overrides: Overrides = {},
) {
  const finding = await look(t, zone({ 'a.test': { CAA: records } }), overrides);
  const text = JSON.stringify(records);
  if (expected === 'pass') {
    assert.deepEqual([finding.result, finding.caa?.decision], ['pass', 'permitted'], text);
    return;
  }
  assert.deepEqual([finding.result, finding.caa?.decision], ['fail', 'forbidden'], text);
  assert.equal(finding.problem?.type, 'caa');
  assert.match(finding.problem?.detail ?? '', expected, text);
}

describe('RFC 8659 §3: the climb', () => {
  it('goes label by label to the top-level domain, and permits when there is nothing', async (t) => {
    const finding = await look(t, zone({ 'a.b.test': {} }), { value: 'a.b.test' });
    assert.equal(finding.result, 'pass');
    assert.deepEqual(finding.caa, { decision: 'permitted', issuerDomainNames: ['ca.example'], lookup: 'none' });
    assert.deepEqual(
      finding.dns.map(({ name, type }) => `${name} ${type}`),
      ['a.b.test CAA', 'b.test CAA', 'test CAA'],
    );
  });

  it('ends at the first set that is not empty, and does not look above it', async (t) => {
    const finding = await look(
      t,
      zone({ 'b.test': { CAA: [[0, 'issue', 'ca.example']] }, test: { CAA: [[0, 'issue', ';']] } }),
      { value: 'a.b.test' },
    );
    assert.equal(finding.result, 'pass');
    assert.equal(finding.caa?.foundAt, 'b.test');
    assert.deepEqual(finding.caa?.records, ['0 issue "ca.example"']);
    assert.equal(finding.dns.length, 2);
  });

  it('is not continued when a set below says nothing about issuing', async (t) => {
    const finding = await look(
      t,
      zone({ 'a.test': { CAA: [[0, 'iodef', 'mailto:a@a.test']] }, test: { CAA: [[0, 'issue', ';']] } }),
    );
    assert.deepEqual([finding.result, finding.caa?.foundAt], ['pass', 'a.test']);
  });

  it('follows aliases of each name, and climbs from the name, not from the alias', async (t) => {
    const finding = await look(
      t,
      zone({
        'a.test': { CNAME: 'x.other.example' },
        'x.other.example': {},
        'other.example': { CAA: [[0, 'issue', ';']] },
        test: { CAA: [[0, 'issue', 'ca.example']] },
      }),
    );
    assert.deepEqual([finding.result, finding.caa?.foundAt], ['pass', 'test']);
    assert.deepEqual(finding.dns[0]?.aliases, ['x.other.example']);
    const alias = await look(t, zone({ 'a.test': { CNAME: 'x.example' }, 'x.example': { CAA: [[0, 'issue', ';']] } }));
    assert.equal(alias.result, 'fail');
  });

  it('ends without permission at a failure, even when a set above would permit', async (t) => {
    const finding = await look(
      t,
      zone({ 'a.b.test': {}, 'b.test': { rcode: 2 }, test: { CAA: [[0, 'issue', 'ca.example']] } }),
      {
        value: 'a.b.test',
      },
    );
    assert.equal(finding.result, 'error');
    assert.deepEqual(finding.caa, { decision: 'error', issuerDomainNames: ['ca.example'], lookup: 'failed' });
    assert.equal(finding.problem?.type, 'dns');
    assert.match(finding.problem?.detail ?? '', /CAA of b\.test from resolver .*: SERVFAIL/);
  });

  it('ends without permission at a malformed record', async (t) => {
    const finding = await look(t, () => ({
      answers: [{ name: 'a.test', type: 257, data: Buffer.from([0, 200, 65]) }],
    }));
    assert.deepEqual([finding.result, finding.caa?.lookup], ['error', 'failed']);
  });

  it('of 120 labels leaves the last 64 queries in the finding at most', async (t) => {
    const finding = await look(t, zone({}), { value: `${'a.'.repeat(120)}test` });
    assert.equal(finding.result, 'pass');
    assert.ok(finding.dns.length <= 64 && finding.dns.length > 10);
    assert.equal(finding.dns.at(-1)?.name, 'test');
  });
});

describe('RFC 8659 §4.2: issue', () => {
  it('permits whom it names, in any case, one of several being enough', async (t) => {
    await decides(t, [[0, 'issue', 'ca.example']], 'pass');
    await decides(t, [[0, 'ISSUE', 'CA.Example']], 'pass');
    await decides(
      t,
      [
        [0, 'issue', 'other.example'],
        [0, 'issue', ' ca.example ; x=y'],
      ],
      'pass',
    );
    await decides(t, [[128, 'issue', 'ca.example']], 'pass');
  });

  it('forbids everybody else, and everybody by a semicolon', async (t) => {
    await decides(t, [[0, 'issue', 'other.example']], /none names ca\.example. There: 0 issue "other\.example"/);
    await decides(t, [[0, 'issue', ';']], /none names/);
    await decides(t, [[0, 'issue', '']], /none names/);
    await decides(t, [[0, 'issue', 'sub.ca.example']], /none names/);
  });

  it('names nobody when it does not follow the grammar', async (t) => {
    for (const value of ['ca.example.', 'ca.example x', '%', 'ca.example; x'])
      await decides(t, [[0, 'issue', value]], /none names/);
  });
});

describe('RFC 8659 §4.3: issuewild', () => {
  it('replaces issue for wildcards', async (t) => {
    const records: readonly Record[] = [
      [0, 'issue', 'ca.example'],
      [0, 'issuewild', ';'],
    ];
    await decides(t, records, /none names/, { isWildcard: true });
    await decides(t, records, 'pass');
    const reverse: readonly Record[] = [
      [0, 'issue', ';'],
      [0, 'issuewild', 'ca.example'],
    ];
    await decides(t, reverse, 'pass', { isWildcard: true });
    await decides(t, reverse, /none names/);
  });

  it('leaves issue in force for wildcards when it is not there, and means nothing for other names', async (t) => {
    await decides(t, [[0, 'issue', ';']], /none names/, { isWildcard: true });
    await decides(t, [[0, 'issuewild', ';']], 'pass');
    await decides(t, [[0, 'issuewild', ';']], /none names/, { isWildcard: true });
  });
});

describe('RFC 8659 §4.1: critical properties', () => {
  it('that are unknown forbid, also when the flag was written as 1', async (t) => {
    for (const flags of [128, 1, 129, 255]) {
      await decides(
        t,
        [
          [0, 'issue', 'ca.example'],
          [flags, 'tbs', 'x'],
        ],
        /'tbs' is critical and unknown/,
      );
    }
  });

  it('that are known do not, nor do unknown ones that are not critical', async (t) => {
    await decides(
      t,
      [
        [128, 'issue', 'ca.example'],
        [128, 'iodef', 'mailto:a@a.test'],
      ],
      'pass',
    );
    await decides(
      t,
      [
        [0, 'issue', 'ca.example'],
        [0, 'tbs', 'x'],
        [2, 'contactemail', 'a@a.test'],
      ],
      'pass',
    );
  });
});

describe('RFC 8657 §3: accounturi', () => {
  it('must be exactly the account, and stand there once', async (t) => {
    await decides(t, [[0, 'issue', `ca.example; accounturi=${accountUri}`]], 'pass');
    await decides(t, [[0, 'issue', `ca.example; AccountURI=${accountUri}`]], 'pass');
    await decides(t, [[0, 'issue', `ca.example; accounturi=${accountUri}/`]], /accounturi is '.*\/', not/);
    await decides(t, [[0, 'issue', `ca.example; accounturi=${accountUri.toUpperCase()}`]], /accounturi is/);
    await decides(t, [[0, 'issue', 'ca.example; accounturi=']], /accounturi is ''/);
    await decides(
      t,
      [[0, 'issue', `ca.example; accounturi=${accountUri}; accounturi=${accountUri}`]],
      /two parameters accounturi/,
    );
  });

  it('of one record does not bind another', async (t) => {
    await decides(
      t,
      [
        [0, 'issue', 'ca.example; accounturi=https://x.example/'],
        [0, 'issue', 'ca.example'],
      ],
      'pass',
    );
  });
});

describe('RFC 8657 §4: validationmethods', () => {
  it('must list the method, exactly', async (t) => {
    await decides(t, [[0, 'issue', 'ca.example; validationmethods=http-01,dns-01']], 'pass');
    await decides(t, [[0, 'issue', 'ca.example; validationmethods=http-01']], /without dns-01/);
    await decides(t, [[0, 'issue', 'ca.example; validationmethods=DNS-01']], /without dns-01/);
    await decides(t, [[0, 'issue', 'ca.example; validationmethods=dns-01x,xdns-01']], /without dns-01/);
    await decides(t, [[0, 'issue', 'ca.example; validationmethods=']], /without dns-01/);
    await decides(
      t,
      [[0, 'issue', 'ca.example; validationmethods=dns-01; validationmethods=dns-01']],
      /two parameters/,
    );
  });

  it('and accounturi must both be satisfied', async (t) => {
    await decides(
      t,
      [[0, 'issue', `ca.example; accounturi=${accountUri}; validationmethods=http-01`]],
      /without dns-01/,
    );
    await decides(t, [[0, 'issue', `ca.example; accounturi=${accountUri}; validationmethods=dns-01`]], 'pass');
  });
});

describe('mpic.md §2.1: names of this CA', () => {
  it('come from the configuration; without any, every issue property forbids', async (t) => {
    const parts = await createParts(t, zone({ 'a.test': { CAA: [[0, 'issue', '']] } }), { issuerDomainNames: [] });
    const finding = await checkCaa(parts, caaRequest(), farDeadline());
    assert.match(finding.problem?.detail ?? '', /this CA has no name in CAA records/);
  });
});
