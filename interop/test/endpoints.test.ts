import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EndpointsError, parseEndpoints } from '../src/endpoints.ts';

const est = { url: 'https://127.0.0.1:7030', username: 'demo', password: 'x' };
const document = { trustAnchor: 'trust/root.pem', chain: 'trust/chain.pem', core: { address: '127.0.0.1:5280' }, est };

describe('endpoints.json', () => {
  it('names files relative to its directory', () => {
    assert.deepEqual(parseEndpoints(JSON.stringify(document), '/data'), {
      trustAnchor: '/data/trust/root.pem',
      chain: '/data/trust/chain.pem',
      est,
    });
  });

  for (const [what, broken] of [
    ['the trust anchor', { ...document, trustAnchor: undefined }],
    ['the gate', { ...document, est: undefined }],
    ['the password', { ...document, est: { ...est, password: undefined } }],
    ['a URL that is text', { ...document, est: { ...est, url: 7 } }],
  ] as const) {
    it(`is refused without ${what}`, () => {
      assert.throws(() => parseEndpoints(JSON.stringify(broken), '/data'), EndpointsError);
    });
  }
});
