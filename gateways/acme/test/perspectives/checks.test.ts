// Slow, silent, lying and wrongly keyed perspectives: within the quorum rule, or a clear refusal that names them.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '@gatehouse/runtime/clock';
import { createMetrics } from '@gatehouse/runtime/metrics';
import { createChecks } from '../../src/perspectives/checks.ts';
import { readStatement } from '../../src/perspectives/judge-statement.ts';
import { createTestLog } from '../support/log.ts';
import { type Behaviour, createDouble, newKey, rulesOf, subjectOf } from '../support/perspectives.ts';

function start(count = 2, timeoutMs = 2_000) {
  const primary = createDouble('acme', { site: '', holder: 'spiffe://gatehouse.internal/ra/acme' });
  const remotes = Array.from({ length: count }, (_, i) => createDouble(`site-${i + 1}`));
  const { log, lines } = createTestLog();
  const checks = createChecks({
    primary: primary.perspective.client,
    registry: {
      list: async () => remotes.map(({ perspective }) => perspective),
      known: () => remotes.map(({ perspective }) => perspective),
      doubt: () => {},
      close: async () => {},
    },
    secret: Buffer.alloc(32, 1),
    clock: systemClock,
    log,
    metrics: createMetrics('test_'),
    timeoutMs,
  });
  const remote = (n: number) => {
    const found = remotes[n - 1];
    if (found === undefined) throw new Error('no such remote');
    return found;
  };
  return { primary, remotes, remote, checks, lines };
}

describe('mpic.md §4: a validation from several perspectives', () => {
  it('passes with the statements of all, which agree on one attempt and on who was used', async () => {
    const { checks, remotes, primary } = start();
    const outcome = await checks.validate(subjectOf(), rulesOf(2, 1));
    assert.equal(outcome.kind, 'passed');
    if (outcome.kind !== 'passed') return;
    for (const set of [outcome.dcv, outcome.caa]) {
      const payloads = set?.statements.map((statement) => readStatement(statement)) ?? [];
      assert.equal(payloads.length, 3);
      assert.equal(new Set(payloads.map((payload) => payload?.attempt)).size, 1);
      for (const payload of payloads) assert.deepEqual(payload?.perspectives, ['site-1', 'site-2']);
    }
    assert.equal(primary.asked.length, 2);
    for (const { asked } of remotes) assert.deepEqual(asked.map(({ check }) => check).sort(), ['caa', 'dcv']);
  });

  it('asks nobody else when the primary fails, and tells its problem', async () => {
    const { checks, remotes, primary } = start();
    primary.behave('dcv', { result: 'fail', problem: { type: 'incorrectResponse', detail: 'found x at 192.0.2.1' } });
    const outcome = await checks.validate(subjectOf(), rulesOf(2, 1));
    assert.ok(outcome.kind === 'failed' && !outcome.isOurFault);
    assert.deepEqual(outcome.problem, { type: 'incorrectResponse', detail: 'found x at 192.0.2.1' });
    for (const { asked } of remotes) assert.equal(asked.length, 0);
  });

  it('fails by CAA when the primary finds that it is forbidden', async () => {
    const { checks, primary } = start();
    primary.behave('caa', { result: 'fail', problem: { type: 'caa', detail: 'CAA records forbid' } });
    const outcome = await checks.validate(subjectOf(), rulesOf(2, 1));
    assert.ok(outcome.kind === 'failed' && outcome.problem.type === 'caa');
  });

  it('looks for no permission for addresses, and where the rules demand none', async () => {
    const { checks, primary } = start();
    const address = subjectOf({ identifier: { type: 'ip', value: '192.0.2.1', isWildcard: false } });
    const outcome = await checks.validate(address, rulesOf(2, 1));
    assert.ok(outcome.kind === 'passed' && outcome.caa === undefined);
    await checks.validate(subjectOf(), rulesOf(2, 1, { caa: 'off' }));
    assert.ok(primary.asked.every(({ check }) => check === 'dcv'));
  });

  it('refuses when too many remotes disagree, with who saw what', async () => {
    const { checks, remote } = start(3);
    remote(1).behave('dcv', { result: 'fail', problem: { type: 'dns', detail: 'NXDOMAIN from resolver 10.1.0.53' } });
    remote(2).behave('dcv', { result: 'error', problem: { type: 'dns', detail: 'SERVFAIL from resolver 10.2.0.53' } });
    const outcome = await checks.validate(subjectOf(), rulesOf(3, 2));
    assert.ok(outcome.kind === 'failed' && !outcome.isOurFault);
    assert.equal(outcome.problem.type, 'dns');
    assert.match(outcome.problem.detail, /^at 2 of 3 remote perspectives: /);
    assert.match(outcome.problem.detail, /site-1: NXDOMAIN from resolver 10\.1\.0\.53/);
    assert.match(outcome.problem.detail, /site-3: token matches/);
  });

  it('counts CAA by a quorum of its own', async () => {
    const { checks, remote } = start();
    for (const n of [1, 2]) remote(n).behave('caa', { result: 'fail', problem: { type: 'caa', detail: 'forbidden' } });
    const outcome = await checks.validate(subjectOf(), rulesOf(2, 1));
    assert.ok(outcome.kind === 'failed' && outcome.problem.type === 'caa');
  });

  it('records and goes on in the mode monitor', async () => {
    const { checks, remote, lines } = start();
    for (const n of [1, 2]) remote(n).behave('dcv', { result: 'fail' });
    const outcome = await checks.validate(subjectOf(), rulesOf(2, 1, { mode: 'monitor' }));
    assert.ok(outcome.kind === 'passed');
    assert.equal(outcome.dcv.statements.length, 3);
    assert.ok(lines().some((line) => line.verdict === 'fail' && line.quorum === '0/2'));
  });

  it('stands on the primary alone in the mode off', async () => {
    const { checks, remotes } = start();
    const outcome = await checks.validate(subjectOf(), rulesOf(0, 0, { mode: 'off', caa: 'off' }));
    assert.ok(outcome.kind === 'passed' && outcome.dcv.statements.length === 1);
    for (const { asked } of remotes) assert.equal(asked.length, 0);
  });

  it('is our fault, and asks nobody, when fewer perspectives are registered than the policy demands', async () => {
    const { checks, primary, lines } = start(1);
    const outcome = await checks.validate(subjectOf(), rulesOf(2, 1));
    assert.ok(outcome.kind === 'failed' && outcome.isOurFault);
    assert.equal(outcome.problem.type, 'serverInternal');
    assert.equal(primary.asked.length, 0);
    assert.ok(lines().some(({ level }) => level === 'error'));
  });
});

describe('mpic.md §4: readiness', () => {
  it('says which profiles lack perspectives', () => {
    const { checks } = start(1);
    assert.match(checks.shortage(rulesOf(2, 1)) ?? '', /1 of 2/);
    assert.equal(checks.shortage(rulesOf(1, 1)), undefined);
    assert.equal(checks.shortage(rulesOf(2, 1, { mode: 'off' })), undefined);
  });
});

describe('mpic.md §6: a perspective that does not do what it should', () => {
  const never = new Promise<void>(() => {});
  const liars: readonly (readonly [string, Behaviour, RegExp])[] = [
    ['signs with another key', { signsWith: newKey() }, /signature does not verify/],
    ['says that it is another one', { says: (p) => ({ ...p, perspective: `${p.perspective}x` }) }, /says that it is/],
    ['says that it stands elsewhere', { says: (p) => ({ ...p, site: 'dublin' }) }, /stands at 'dublin'/],
    ['speaks of another attempt', { says: (p) => ({ ...p, attempt: 'x'.repeat(22) }) }, /another attempt/],
    [
      'speaks of another name',
      { says: (p) => ({ ...p, identifier: { type: 'dns', value: 'b.example' } }) },
      /another name/,
    ],
    ['speaks of another account', { says: (p) => ({ ...p, account: `${p.account}x` }) }, /another account/],
    ['speaks of another key', { says: (p) => ({ ...p, thumbprint: 'x'.repeat(43) }) }, /another account key/],
    ['speaks of another token', { says: (p) => ({ ...p, token: 'x'.repeat(43) }) }, /another token/],
    ['speaks of another method', { says: (p) => ({ ...p, method: 'dns-01' }) }, /another method/],
    ['names others for the attempt', { says: (p) => ({ ...p, perspectives: ['site-1'] }) }, /names other perspectives/],
    [
      'gives a statement of last year',
      { says: (p) => ({ ...p, started: '2020-01-01T00:00:00.000Z', finished: '2020-01-01T00:00:00.000Z' }) },
      /times are wrong/,
    ],
    ['found another key authorization', { says: (p) => ({ ...p, expected: 'x' }) }, /another key authorization/],
    ['signs something else than a statement', { type: 'JWT' }, /no statement/],
    ['changes what it signed', { sends: (jws) => jws.replace(/\.[^.]{8}/, '.AAAAAAAA') }, /./],
    ['sends garbage', { sends: () => 'garbage' }, /./],
  ];
  for (const [what, behaviour, cause] of liars) {
    it(`${what}: it does not corroborate, and is named`, async () => {
      const { checks, remote, lines } = start(3);
      remote(2).behave('dcv', behaviour);
      const outcome = await checks.validate(subjectOf(), rulesOf(3, 2));
      assert.ok(outcome.kind === 'passed');
      assert.equal(outcome.dcv.statements.length, 3);
      const alarm = lines().find((line) => line.level === 'error' && line.perspective === 'site-2');
      assert.match(String(alarm?.cause), cause);
    });
  }

  it('lies where the quorum needs it: refused as our fault, without telling the client how', async () => {
    const { checks, remote } = start(2);
    for (const n of [1, 2]) remote(n).behave('dcv', { signsWith: newKey() });
    const outcome = await checks.validate(subjectOf(), rulesOf(2, 1));
    assert.ok(outcome.kind === 'failed' && outcome.isOurFault);
    assert.equal(outcome.problem.type, 'serverInternal');
    assert.match(outcome.problem.detail, /site-1: no usable answer/);
  });

  it('cannot be reached: n stays, and one of five does no harm', async () => {
    const { checks, remote } = start(5);
    remote(4).behave('dcv', { fails: true });
    const outcome = await checks.validate(subjectOf(), rulesOf(5, 4));
    assert.ok(outcome.kind === 'passed' && outcome.dcv.statements.length === 5);
    remote(5).behave('dcv', { fails: true });
    assert.equal((await checks.validate(subjectOf(), rulesOf(5, 4))).kind, 'failed');
  });

  it('hangs: late answers are waited for half a second once it is decided', async () => {
    const { checks, remote } = start(2);
    remote(1).behave('dcv', { waits: never });
    const before = performance.now();
    const outcome = await checks.validate(subjectOf(), rulesOf(2, 1));
    const took = performance.now() - before;
    assert.ok(outcome.kind === 'passed' && outcome.dcv.statements.length === 2);
    assert.ok(took > 450 && took < 1_500, `${took} ms`);
  });

  it('hangs where the quorum needs it: the deadline is kept, and it is a non-corroboration', async () => {
    const { checks, remote } = start(2);
    for (const n of [1, 2]) remote(n).behave('dcv', { waits: never });
    const before = performance.now();
    const outcome = await checks.validate(subjectOf(), rulesOf(2, 1));
    assert.ok(outcome.kind === 'failed' && outcome.isOurFault);
    assert.ok(performance.now() - before < 3_000);
  });

  it('is busy: it is asked again while there is time, since it has not looked yet', async () => {
    const { checks, remotes } = start(2, 6_000);
    for (const double of remotes) double.behave('dcv', { busy: 2 });
    const outcome = await checks.validate(subjectOf(), rulesOf(2, 2));
    assert.ok(outcome.kind === 'passed' && outcome.dcv.statements.length === 3);
  });

  it('is dead: it is left out of the next selection where others are enough', async () => {
    const { checks, remotes, lines } = start(3);
    for (const double of remotes.slice(0, 1)) double.behave('dcv', { fails: true });
    // The choice depends on the name: enough names ask the dead one three times.
    for (let i = 0; i < 20; i++) {
      await checks.validate(
        subjectOf({ identifier: { type: 'dns', value: `n${i}.example`, isWildcard: false } }),
        rulesOf(2, 1),
      );
    }
    assert.equal(remotes[0]?.asked.filter(({ check }) => check === 'dcv').length, 3);
    assert.ok(lines().some(({ level, perspective }) => level === 'error' && perspective === 'site-1'));
  });

  it('is the primary: our fault', async () => {
    const { checks, primary } = start();
    primary.behave('dcv', { fails: true });
    const outcome = await checks.validate(subjectOf(), rulesOf(2, 1));
    assert.ok(outcome.kind === 'failed' && outcome.isOurFault);
  });
});
