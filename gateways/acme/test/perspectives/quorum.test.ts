// The quorum as the gate counts it, and how perspectives are chosen for it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { distanceKilometres } from '@gatehouse/ra-client/distance';
import type { StatementPayload } from '@gatehouse/ra-client/perspective-statement';
import fc from 'fast-check';
import type { Finding } from '../../src/perspectives/check.ts';
import { judgeQuorum } from '../../src/perspectives/quorum.ts';
import { selectPerspectives } from '../../src/perspectives/selection.ts';
import { createDouble, rulesOf } from '../support/perspectives.ts';

const secret = Buffer.alloc(32, 7);

function remotes(names: readonly string[]) {
  return names.map((name) => createDouble(name).perspective);
}

const own = statedBy('primary', 'pass');

function statedBy(name: string, result: 'pass' | 'fail', dns: StatementPayload['dns'] = []): Finding {
  const now = new Date().toISOString();
  return {
    kind: 'stated',
    name,
    statement: '',
    payload: {
      ...{ v: 1, perspective: name, site: name, rir: '', build: '', attempt: 'a', order: '', authorization: '' },
      ...{ perspectives: [], check: 'dcv', identifier: { type: 'dns', value: 'a.example' }, isWildcard: false },
      ...{ method: 'http-01', account: '', thumbprint: 'a', result, dns, started: now, finished: now },
    },
  };
}

function judge(rules: ReturnType<typeof rulesOf>, names: readonly string[], findings: readonly Finding[]) {
  const byName = new Map(findings.map((one) => [one.name, one]));
  return judgeQuorum(rules, { chosen: remotes(names), findings: byName, own, name: 'a.example' });
}

describe('BR §3.2.2.9: the quorum', () => {
  const five = ['a', 'b', 'c', 'd', 'e'];

  it('is met when all but one of two to five corroborate', () => {
    const pass = five.slice(0, 4).map((name) => statedBy(name, 'pass'));
    assert.equal(judge(rulesOf(5, 4), five, [...pass, statedBy('e', 'fail')]).verdict, 'met');
  });

  it('is missed when two of five do not corroborate, whatever kept them', () => {
    const pass = five.slice(0, 3).map((name) => statedBy(name, 'pass'));
    const silent: Finding = { kind: 'silent', name: 'e', cause: 'late' };
    const outcome = judge(rulesOf(5, 4), five, [...pass, statedBy('d', 'fail'), silent]);
    assert.equal(outcome.verdict, 'missed');
    assert.equal(`${outcome.corroborating}/${outcome.used}`, '3/5');
  });

  it('is open while those who have not answered may decide it', () => {
    assert.equal(judge(rulesOf(2, 1), ['a', 'b'], [statedBy('a', 'fail')]).verdict, 'open');
    assert.equal(judge(rulesOf(2, 1), ['a', 'b'], [statedBy('a', 'pass')]).verdict, 'met');
  });

  it('never counts fewer than the policy demands, when fewer are registered', () => {
    assert.equal(judge(rulesOf(3, 2), ['a'], [statedBy('a', 'pass')]).verdict, 'missed');
  });

  it('does not let more of them fail when more than demanded are used', () => {
    const findings = [statedBy('a', 'pass'), statedBy('b', 'fail'), statedBy('c', 'fail')];
    assert.equal(judge(rulesOf(2, 1), ['a', 'b', 'c'], findings).verdict, 'missed');
  });

  it('needs the sites that a zone demands', () => {
    const rules = rulesOf(2, 1, { requiredSites: [{ zone: 'example', sites: ['b'] }] });
    assert.equal(judge(rules, ['a', 'b'], [statedBy('a', 'pass'), statedBy('b', 'fail')]).verdict, 'missed');
    assert.equal(judge(rules, ['a', 'b'], [statedBy('a', 'fail'), statedBy('b', 'pass')]).verdict, 'met');
  });

  it('needs two RIR regions under public-br', () => {
    const rules = rulesOf(2, 1, { policy: 'public-br' });
    const chosen = [createDouble('a', { rir: 'RIPE' }), createDouble('b', { rir: 'ARIN' })].map(
      (one) => one.perspective,
    );
    const one = new Map([['a', statedBy('a', 'pass')]]);
    assert.equal(judgeQuorum(rules, { chosen, findings: one, own, name: 'a.example' }).verdict, 'open');
    const both = new Map([...one, ['b', statedBy('b', 'pass')] as const]);
    assert.equal(judgeQuorum(rules, { chosen, findings: both, own, name: 'a.example' }).verdict, 'met');
  });

  it('does not count who saw no proof of an answer that others saw proven (RFC 4035)', () => {
    const answer = (isAuthenticated: boolean, name = 'a.example') => [
      { name, type: 'TXT', rcode: 'NOERROR', isAuthenticated, resolver: '127.0.0.1:53' },
    ];
    const stripped = [statedBy('a', 'pass', answer(true)), statedBy('b', 'pass', answer(false, 'A.example.'))];
    assert.equal(judge(rulesOf(2, 2, { dnssec: 'where-signed' }), ['a', 'b'], stripped).verdict, 'missed');
    assert.equal(judge(rulesOf(2, 2, { dnssec: 'off' }), ['a', 'b'], stripped).verdict, 'met');
    const unsigned = [statedBy('a', 'pass', answer(false)), statedBy('b', 'pass', answer(false))];
    assert.equal(judge(rulesOf(2, 2, { dnssec: 'where-signed' }), ['a', 'b'], unsigned).verdict, 'met');
    assert.equal(judge(rulesOf(2, 2, { dnssec: 'on' }), ['a', 'b'], unsigned).verdict, 'missed');
  });

  it('counts records of dns-persist-01 for one account and key alone', () => {
    const saw = (name: string, thumbprint: string, accounturi = 'https://ca.example/1'): Finding => {
      const finding = statedBy(name, 'pass');
      if (finding.kind !== 'stated') return finding;
      const found = {
        method: 'dns-persist-01',
        thumbprint,
        expected: `ca.example; AccountURI=${accounturi}; x=y`,
      } as const;
      return { ...finding, payload: { ...finding.payload, ...found } };
    };
    const judged = (...findings: Finding[]) => judge(rulesOf(3, 2), ['a', 'b', 'c'], findings).verdict;
    assert.equal(judged(saw('a', 'k'), saw('b', 'k'), saw('c', 'l')), 'met');
    assert.equal(judged(saw('a', 'k'), saw('b', 'l'), saw('c', 'm')), 'missed');
    assert.equal(judged(saw('a', 'k'), saw('b', 'k', 'https://ca.example/2'), saw('c', 'l')), 'missed');
  });

  it('is never met without a remote perspective', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 8 }), (n, k) => {
        const rules = rulesOf(n, Math.min(n, k));
        assert.notEqual(judge(rules, five.slice(0, n), []).verdict, 'met');
      }),
    );
  });
});

describe('mpic.md §4: the selection', () => {
  const many = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const registered = remotes(many);
  const select = (name: string, key: Uint8Array = secret, open: readonly string[] = []) =>
    selectPerspectives({ registered, rules: rulesOf(3, 2), name, secret: key, isOpen: (one) => open.includes(one) });

  it('is the same for a name each time, differs between names, and depends on the secret', () => {
    const text = (name: string, key?: Buffer) =>
      select(name, key)
        .map((one) => one.name)
        .join();
    assert.equal(text('a.example'), text('a.example'));
    const names = Array.from({ length: 50 }, (_, i) => `host-${i}.example`);
    assert.ok(new Set(names.map((name) => text(name))).size > 10);
    assert.ok(names.some((name) => text(name) !== text(name, Buffer.alloc(32, 8))));
  });

  it('is sorted by name and has as many as the policy demands', () => {
    const chosen = select('a.example').map((one) => one.name);
    assert.equal(chosen.length, 3);
    assert.deepEqual(chosen, [...chosen].sort());
  });

  it('leaves dead perspectives out, but never goes below the number that is needed', () => {
    const usual = select('a.example').map((one) => one.name);
    const without = select('a.example', secret, usual.slice(0, 1)).map((one) => one.name);
    assert.equal(without.length, 3);
    assert.ok(!without.includes(usual[0] ?? ''));
    assert.equal(select('a.example', secret, many.slice(0, 7)).length, 3);
  });

  it('takes the sites that a zone demands', () => {
    const rules = rulesOf(2, 1, { requiredSites: [{ zone: 'plant.example', sites: ['g', 'h'] }] });
    const options = { registered, rules, secret, isOpen: () => false };
    const chosen = (name: string) => selectPerspectives({ ...options, name }).map((one) => one.name);
    assert.deepEqual(chosen('x.plant.example'), ['g', 'h']);
    assert.deepEqual(chosen('plant.example'), ['g', 'h']);
    assert.equal(chosen('explant.example').length, 2);
  });

  it('takes no two of one site', () => {
    const same = ['a', 'b', 'c'].map((name) => createDouble(name, { site: 'one' }).perspective);
    const options = { rules: rulesOf(2, 1), secret, isOpen: () => false, name: 'a.example' };
    assert.equal(selectPerspectives({ ...options, registered: same }).length, 1);
  });

  it('takes perspectives that lie 500 km apart, of two regions, under public-br', () => {
    const at = (name: string, latitude: number, longitude: number, rir: string) =>
      createDouble(name, { rir, place: { latitude, longitude } }).perspective;
    const registered = [
      at('dublin', 53.35, -6.26, 'RIPE'),
      at('belfast', 54.6, -5.93, 'RIPE'),
      at('frankfurt', 50.11, 8.68, 'RIPE'),
      at('montreal', 45.5, -73.57, 'ARIN'),
    ];
    const rules = rulesOf(2, 1, { policy: 'public-br' });
    for (let i = 0; i < 30; i++) {
      const name = `host-${i}.example`;
      const chosen = selectPerspectives({ registered, rules, name, secret, isOpen: () => false });
      assert.equal(chosen.length, 2);
      assert.equal(new Set(chosen.map(({ rir }) => rir)).size, 2);
    }
  });

  it('measures great circles', () => {
    const dublin = { latitude: 53.3498, longitude: -6.2603 };
    const saoPaulo = { latitude: -23.5505, longitude: -46.6333 };
    assert.ok(Math.abs(distanceKilometres(dublin, saoPaulo) - 9_400) < 60);
    assert.equal(distanceKilometres(dublin, dublin), 0);
  });
});
