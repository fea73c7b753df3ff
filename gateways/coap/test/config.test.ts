import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CoapConfiguration, coapSchema } from '../src/config.ts';

const core = { credential: 'ra/coap/credential.pem' };
const read = (section: Readonly<Record<string, unknown>>) => coapSchema.safeParse({ core, ...section });
const configured = (section: Readonly<Record<string, unknown>> = {}): CoapConfiguration =>
  coapSchema.parse({ core, ...section });

describe('the section coap', () => {
  it('has the limits that everybody can live with', () => {
    const { listen, limits, mtu, blockSize, maximumBody, blockMemory, blockLife, echo, root } = configured();
    assert.deepEqual(listen, { host: '127.0.0.1', port: 5684 });
    assert.deepEqual(limits, {
      sessions: 10_000,
      sessionsPerAddress: 200,
      halfOpen: 500,
      handshakeTimeout: 60_000,
      idleTimeout: 300_000,
      handshakesPerAddress: { perSecond: 50, burst: 200 },
      requests: 256,
      requestsPerAddress: 128,
    });
    assert.deepEqual([mtu, blockSize, maximumBody, blockMemory], [1_280, 512, 16_384, 2_097_152]);
    assert.deepEqual([blockLife, echo.afterIdle, root], [247_000, undefined, 'est']);
  });

  it('takes a policy of its own, key by key, and has none by itself', () => {
    assert.equal(configured().labels, undefined);
    const { labels, retryWindow } = configured({ labels: { a: { profile: 'p' } }, retryWindow: '1m' });
    assert.equal(labels?.a?.profile, 'p');
    assert.equal(retryWindow, 60_000);
  });

  for (const [what, section] of [
    ['a root of several segments', { root: 'a/b' }],
    ['a root below which discovery would be', { root: '.well-known' }],
    ['a block size that is no power of two', { blockSize: 100 }],
    ['an MTU in which OpenSSL makes no handshake', { mtu: 303 }],
    ['no sessions at all', { limits: { sessions: 0 } }],
    ['an unknown key', { blocksize: 64 }],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.equal(read(section).success, false);
    });
  }
});
