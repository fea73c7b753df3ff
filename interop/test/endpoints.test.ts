import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EndpointsError, parseEndpoints } from '../src/endpoints.ts';

const est = { url: 'https://127.0.0.1:7030', username: 'demo', password: 'x' };
const status = { ocsp: 'http://127.0.0.1:6960/ocsp', crl: 'http://127.0.0.1:6960/crl' };
const core = { address: '127.0.0.1:5280' };
const document = { trustAnchor: 'trust/root.pem', chain: 'trust/chain.pem', core, est, status };

describe('endpoints.json', () => {
  it('names files relative to its directory', () => {
    assert.deepEqual(parseEndpoints(JSON.stringify(document), '/data'), {
      trustAnchor: '/data/trust/root.pem',
      chain: '/data/trust/chain.pem',
      est,
      status,
    });
  });

  it('names the gates that a stack has beside', () => {
    const coap = { url: 'coaps://127.0.0.1:5684' };
    const acme = { directory: 'https://127.0.0.1:8555/directory' };
    const endpoints = parseEndpoints(JSON.stringify({ ...document, coap, acme }), '/data');
    assert.deepEqual([endpoints.coap, endpoints.acme], [coap, acme]);
  });

  for (const [what, broken] of [
    ['the trust anchor', { ...document, trustAnchor: undefined }],
    ['a gate', { ...document, est: undefined }],
    ['the CRLs', { ...document, status: { ocsp: status.ocsp } }],
    ['the password', { ...document, est: { ...est, password: undefined } }],
    ['a URL that is text', { ...document, est: { ...est, url: 7 } }],
  ] as const) {
    it(`is refused without ${what}`, () => {
      assert.throws(() => parseEndpoints(JSON.stringify(broken), '/data'), EndpointsError);
    });
  }
});
