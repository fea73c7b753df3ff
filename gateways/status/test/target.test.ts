import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readTarget } from '../src/target.ts';

const base64 = fc
  .uint8Array({ maxLength: 300 })
  .map((octets) => Buffer.concat([Buffer.from([0x30]), octets]).toString('base64'));

describe('RFC 6960 appendix A.1: paths', () => {
  it('finds the request behind /ocsp/, behind the bare host, and behind slashes too many', () => {
    fc.assert(
      fc.property(base64, fc.integer({ min: 0, max: 3 }), (text, count) => {
        const expected = { kind: 'ocsp-get', base64: text };
        assert.deepEqual(readTarget(`/ocsp/${'/'.repeat(count)}${text}`), expected);
        assert.deepEqual(readTarget(`/${'/'.repeat(count)}${text}`), expected);
        assert.deepEqual(readTarget(`http://ocsp.example/ocsp/${text}`), expected);
      }),
    );
  });

  it('keeps what is escaped for the one who decodes it, and passes over a query', () => {
    assert.deepEqual(readTarget('/ocsp/MEI%2F%2B?x'), { kind: 'ocsp-get', base64: 'MEI%2F%2B' });
    assert.deepEqual(readTarget('/ocsp/%4DEI'), { kind: 'ocsp-get', base64: '%4DEI' });
  });

  for (const target of ['/ocsp', '/ocsp/', '/ocsp//', '/', '//', '/ocsp?MEI', 'http://host/ocsp', 'HTTP://host/']) {
    it(`takes ${target} for the place where requests are posted to`, () => {
      assert.deepEqual(readTarget(target), { kind: 'ocsp' });
    });
  }
});

describe('RFC 5280 §4.2.1.13, §4.2.2.1: paths', () => {
  it('finds CRLs, issuers and the chain', () => {
    assert.deepEqual(readTarget('/crl/issuing-3.crl'), { kind: 'crl', name: 'issuing-3' });
    assert.deepEqual(readTarget('/crl/issuing-3-delta.crl?x=y'), { kind: 'crl', name: 'issuing-3-delta' });
    assert.deepEqual(readTarget('/issuer/0a1b.crt'), { kind: 'issuer', id: '0a1b' });
    assert.deepEqual(readTarget('/chain.pem'), { kind: 'chain' });
  });

  for (const target of [
    '',
    '*',
    'host:80',
    '/ocspx',
    '/ocsp.crl',
    '/crl/',
    '/crl/issuing',
    '/crl/issuing.crt',
    '/crl/.crl',
    '/crl/../status.crl',
    '/crl/%2e%2e%2fx.crl',
    '/crl//issuing.crl',
    '/crl/a/b.crl',
    `/crl/${'a'.repeat(200)}.crl`,
    '/issuer/x.crl',
    '/issuer/0a1b.crt/',
    '/chain.pem/',
    '/CRL/issuing.crl',
    'https:///crl/issuing.crl',
    '/mEI=',
  ]) {
    it(`finds nothing at '${target.slice(0, 40)}'`, () => {
      assert.deepEqual(readTarget(target), { kind: 'none' });
    });
  }

  it('never throws, and never makes a file name that could leave a folder', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webPath(),
          fc.string().map((text) => `/crl/${text}.crl`),
        ),
        (text) => {
          const target = readTarget(text);
          if (target.kind === 'crl') assert.match(target.name, /^[A-Za-z0-9][A-Za-z0-9_-]*$/);
          if (target.kind === 'issuer') assert.match(target.id, /^[A-Za-z0-9][A-Za-z0-9_-]*$/);
        },
      ),
    );
  });
});
