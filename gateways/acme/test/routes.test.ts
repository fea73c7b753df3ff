import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRouter, routes } from '../src/routes.ts';

const find = createRouter(routes());

describe('RFC 8555 §7.1: resources', () => {
  it('are found by their paths, with what stands in them', () => {
    const cases: [path: string, name: string, parameters: object][] = [
      ['/directory', 'directory', {}],
      ['/acme/new-order', 'newOrder', {}],
      ['/acme/account/a-_9', 'account', { id: 'a-_9' }],
      ['/acme/account/a/orders', 'orders', { id: 'a' }],
      ['/acme/order/a/finalize', 'finalize', { id: 'a' }],
      ['/acme/challenge/a/http-01', 'challenge', { id: 'a', type: 'http-01' }],
      ['/acme/certificate/a/2', 'certificate', { id: 'a', alternate: '2' }],
      ['/acme/renewal-info/a_-.b', 'renewalInfo', { certId: 'a_-.b' }],
    ];
    for (const [path, name, parameters] of cases) {
      const match = find(path);
      assert.deepEqual([match?.route.name, match?.parameters], [name, parameters], path);
    }
  });

  it('are not found by anything else', () => {
    const paths = [
      '',
      '/',
      '/acme',
      '/acme/',
      '/acme/order',
      '/acme/order/',
      '/acme/order//finalize',
      '/acme/order/a/',
      '/acme/order/a%2fb',
    ];
    for (const path of [...paths, '/acme/order/ä', '/ACME/new-order', '/directory/', '//directory']) {
      assert.equal(find(path), undefined, path);
    }
  });

  it('is decided for every text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, two) => {
        for (const path of [one, `/acme/${one}`, `/acme/order/${one}`, `/acme/challenge/${one}/${two}`]) find(path);
      }),
    );
  });

  it('are all told apart: no two routes share a path', () => {
    const paths = routes().map(({ path }) => path.replaceAll(/:[a-zA-Z]+/g, ':x'));
    assert.equal(new Set(paths).size, paths.length);
  });
});
