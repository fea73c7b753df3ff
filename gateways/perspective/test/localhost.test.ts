import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DnsResolver } from '@gatehouse/gateway-perspective/dns/resolver';
import { answersForLocalhost } from '@gatehouse/gateway-perspective/localhost';

const asked: string[] = [];
const others: DnsResolver = {
  query: async (name, type) => {
    asked.push(`${type} ${name}`);
    return { outcome: 'none', lookup: { name, type, rcode: 'NOERROR', isAuthenticated: false, resolver: 'other' } };
  },
};
const resolver = answersForLocalhost(others);
const signal = new AbortController().signal;

describe('RFC 6761 §6.3: localhost', () => {
  for (const name of ['localhost', 'www.localhost', 'a.b.localhost']) {
    it(`is this machine, and nobody is asked: ${name}`, async () => {
      const [ipv4, ipv6] = [await resolver.query(name, 'A', signal), await resolver.query(name, 'AAAA', signal)];
      assert.deepEqual([ipv4.outcome, ipv4.outcome === 'found' && ipv4.values], ['found', ['127.0.0.1']]);
      assert.deepEqual([ipv6.outcome, ipv6.outcome === 'found' && ipv6.values], ['found', ['::1']]);
      for (const type of ['TXT', 'CAA'] as const) {
        assert.equal((await resolver.query(name, type, signal)).outcome, 'none');
      }
      assert.deepEqual(asked, []);
    });
  }

  it('is no other name', async () => {
    for (const name of ['notlocalhost', 'localhost.example', 'example.com']) await resolver.query(name, 'A', signal);
    assert.deepEqual(asked, ['A notlocalhost', 'A localhost.example', 'A example.com']);
  });
});
