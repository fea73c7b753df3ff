import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createOriginReader } from '../src/request-origin.ts';

type Headers = Readonly<Record<string, string>>;

const ask = (trusted: readonly string[], remoteAddress: string, headers: Headers, target = '/x') =>
  createOriginReader(trusted)({ peer: { remoteAddress }, target, header: (name) => headers[name] });

describe('RFC 8555 §6.4: the URL that a client used', () => {
  it('is that of Host, without the default port, in lower case', () => {
    assert.equal(ask([], '192.0.2.1', { host: 'ACME.example:443' }).origin, 'https://acme.example');
    assert.equal(ask([], '192.0.2.1', { host: '[::1]:8555' }).origin, 'https://[::1]:8555');
    assert.equal(ask([], '192.0.2.1', {}).origin, 'https://');
  });

  it('is the target itself in absolute form, RFC 9112 §3.2.2', () => {
    const { origin, target } = ask([], '192.0.2.1', { host: 'other.example' }, 'https://acme.example/a?b');
    assert.deepEqual([origin, target], ['https://acme.example', '/a?b']);
    assert.equal(ask([], '192.0.2.1', { host: 'h' }, 'https://acme.example').target, '/');
  });

  it('and the address are what trusted proxies say, and nobody else', () => {
    const headers = {
      host: 'inner.example',
      'x-forwarded-host': 'a.example, acme.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '203.0.113.1, 192.0.2.9, 10.0.0.2',
    };
    const trusted = ['10.0.0.0/8', 'fd00::/8'];
    assert.deepEqual(ask(trusted, '10.0.0.1', headers), {
      address: '192.0.2.9',
      origin: 'https://acme.example',
      target: '/x',
    });
    assert.deepEqual(ask(trusted, 'fd00::1', headers).address, '192.0.2.9');
    const stranger = { address: '192.0.2.1', origin: 'https://inner.example', target: '/x' };
    assert.deepEqual(ask(trusted, '192.0.2.1', headers), stranger);
    assert.deepEqual(ask([], '10.0.0.1', headers).origin, 'https://inner.example');
  });

  it('is the proxy itself where it says nothing of use', () => {
    for (const forwarded of ['', 'junk', '10.0.0.3', 'unknown, 10.0.0.2', '1.2.3.4.5']) {
      assert.equal(ask(['10.0.0.0/8'], '10.0.0.1', { 'x-forwarded-for': forwarded }).address, '10.0.0.1', forwarded);
    }
  });

  it('never fails, whatever the fields hold', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (target, host, forwarded, proto) => {
        const headers = { host, 'x-forwarded-for': forwarded, 'x-forwarded-host': host, 'x-forwarded-proto': proto };
        for (const trusted of [[], ['0.0.0.0/0']])
          assert.equal(typeof ask(trusted, '192.0.2.1', headers, target).origin, 'string');
      }),
    );
  });
});
