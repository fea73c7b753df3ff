import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createUrls } from '../src/urls.ts';

const canonical = 'https://acme.example.com';
const urls = createUrls({ bases: [canonical, 'https://acme.example.com/b', 'https://[::1]:8555'] });

describe('RFC 8555 §7.1: URLs', () => {
  it('begin with the base of the request', () => {
    assert.equal(urls.order('https://[::1]:8555', 'x'), 'https://[::1]:8555/acme/order/x');
    assert.equal(urls.finalize(canonical, 'x'), `${canonical}/acme/order/x/finalize`);
    assert.equal(urls.certificate(canonical, 'x'), `${canonical}/acme/certificate/x`);
    assert.equal(urls.certificate(canonical, 'x', 2), `${canonical}/acme/certificate/x/2`);
    assert.equal(urls.challenge(canonical, 'x', 'dns-01'), `${canonical}/acme/challenge/x/dns-01`);
  });

  it('are found below the base with the longest path of an origin', () => {
    assert.deepEqual(urls.locate(canonical, '/directory'), { base: canonical, path: '/directory' });
    assert.deepEqual(urls.locate(canonical, '/b/directory'), { base: `${canonical}/b`, path: '/directory' });
    assert.deepEqual(urls.locate('https://[::1]:8555', '/x?y'), { base: 'https://[::1]:8555', path: '/x?y' });
    assert.deepEqual(urls.locate('https://nobody.example', '/x'), { base: canonical, path: '/x' });
    const below = createUrls({ bases: ['https://a.example/ca'] });
    assert.equal(below.locate('https://a.example', '/directory'), undefined);
    assert.equal(below.locate('https://a.example', '/cab/directory'), undefined);
  });

  it('of accounts are read under every base, and under no other', () => {
    for (const base of urls.bases) assert.equal(urls.readAccountId(urls.account(base, 'Ab-_9')), 'Ab-_9');
    for (const wrong of [
      'https://x.example/acme/account/a',
      `${canonical}/acme/account/a/orders`,
      `${canonical}/acme/account/`,
      '',
    ]) {
      assert.equal(urls.readAccountId(wrong), undefined, wrong);
    }
    assert.equal(urls.readAnyAccountId('https://x.example/acme/account/a'), 'a');
  });

  it('are spelled otherwise where that is wished, and read back', () => {
    const spelled = createUrls({
      bases: [canonical],
      reflectsOrigin: true,
      spelling: { write: (path) => `/x${path}`, read: (path) => path.replace(/^\/x/, '') },
    });
    assert.equal(spelled.directory(canonical), `${canonical}/x/directory`);
    assert.equal(spelled.certificate(canonical, 'a', 1), `${canonical}/x/acme/certificate/a/1`);
    assert.equal(spelled.readAccountId(spelled.account(canonical, 'a')), 'a');
    assert.equal(spelled.readAnyAccountId(spelled.account(canonical, 'a')), 'a');
  });

  it('of accounts are never read from anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true, withFragments: true })), (text) => {
        const id = urls.readAccountId(text);
        if (id !== undefined) assert.ok(urls.bases.some((base) => urls.account(base, id) === text));
      }),
    );
  });
});
