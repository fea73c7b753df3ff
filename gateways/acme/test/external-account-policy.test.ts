import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  externalAccountAllows,
  externalAccountAllowsProfile,
  externalAccountPolicySchema,
  isPreAuthorized,
} from '../src/external-account-policy.ts';

const policyOf = (policy: unknown) => externalAccountPolicySchema.parse(policy);
const dns = (value: string) => ({ type: 'dns', value });
const ip = (value: string) => ({ type: 'ip', value });

describe('RFC 8555 §7.3.4: policy of external accounts', () => {
  it('allows everything when it says nothing', () => {
    const policy = policyOf({});
    assert.ok(externalAccountAllows(policy, dns('*.a.example'), 'any'));
    assert.ok(!isPreAuthorized(policy, dns('a.example')), 'but authorises nothing beforehand');
  });

  it('allows exact names, and suffixes with what is below them', () => {
    const policy = policyOf({ names: { exact: ['a.example'], suffixes: ['b.example'] } });
    for (const name of ['a.example', 'b.example', 'x.b.example', 'x.y.b.example'])
      assert.ok(externalAccountAllows(policy, dns(name), 'p'), name);
    for (const name of ['x.a.example', 'bb.example', 'example', 'b.example.org', '*.b.example', '*.a.example']) {
      assert.ok(!externalAccountAllows(policy, dns(name), 'p'), name);
    }
    assert.ok(!externalAccountAllows(policy, ip('192.0.2.1'), 'p'));
  });

  it('allows wildcards above what it allows, where it says so', () => {
    const policy = policyOf({ names: { exact: ['a.example'], suffixes: ['b.example'], wildcards: true } });
    for (const name of ['*.a.example', '*.b.example', '*.x.b.example'])
      assert.ok(externalAccountAllows(policy, dns(name), 'p'), name);
    assert.ok(!externalAccountAllows(policy, dns('*.example'), 'p'));
  });

  it('allows addresses in ranges of their own version', () => {
    const policy = policyOf({ names: { ipRanges: ['192.0.2.0/24', '2001:db8::/32'] } });
    for (const address of ['192.0.2.0', '192.0.2.255', '2001:db8::1'])
      assert.ok(externalAccountAllows(policy, ip(address), 'p'), address);
    for (const address of ['192.0.3.0', '2001:db9::', '::c000:201', 'junk'])
      assert.ok(!externalAccountAllows(policy, ip(address), 'p'), address);
    assert.ok(!externalAccountAllows(policy, dns('192.0.2.1'), 'p'));
  });

  it('allows profiles on its list', () => {
    const policy = policyOf({ profiles: ['shortlived'] });
    assert.ok(externalAccountAllowsProfile(policy, 'shortlived'));
    assert.ok(!externalAccountAllowsProfile(policy, 'tlsserver'));
    assert.ok(!externalAccountAllows(policy, dns('a.example'), 'tlsserver'));
  });

  it('authorises names beforehand by a list of their own', () => {
    const policy = policyOf({ preAuthorized: { suffixes: ['in.example'] } });
    assert.ok(isPreAuthorized(policy, dns('a.in.example')));
    assert.ok(!isPreAuthorized(policy, dns('a.out.example')));
    assert.ok(!isPreAuthorized(policy, dns('*.in.example')));
  });

  it('never allows a name that no pattern covers', () => {
    const policy = policyOf({ names: { suffixes: ['in.example'], wildcards: true } });
    fc.assert(
      fc.property(fc.oneof(fc.domain(), fc.string()), (name) => {
        const isBelow = name === 'in.example' || name.endsWith('.in.example');
        assert.equal(externalAccountAllows(policy, dns(name), 'p'), isBelow);
      }),
    );
  });

  it('refuses patterns that are no names', () => {
    for (const names of [
      { exact: ['*.a.example'] },
      { suffixes: ['.a.example'] },
      { suffixes: ['A.example'] },
      { ipRanges: ['10.0.0.0'] },
      { x: 1 },
    ]) {
      assert.ok(!externalAccountPolicySchema.safeParse({ names }).success, JSON.stringify(names));
    }
  });
});
