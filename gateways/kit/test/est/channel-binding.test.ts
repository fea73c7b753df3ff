import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkChannelBinding } from '@gatehouse/gateway-kit/est/channel-binding';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import type { PeerFacts } from '@gatehouse/gateway-kit/peer';
import fc from 'fast-check';

describe('RFC 7030 §3.5: channel binding', () => {
  const value = Buffer.alloc(32, 5);
  const peer = (
    tlsUnique: Buffer | undefined,
    exporter: Buffer | undefined,
    tlsVersion: PeerFacts['tlsVersion'],
    proxyAddress?: string,
  ) => ({
    remoteAddress: '',
    tlsVersion,
    cipher: '',
    chain: [],
    channelBinding: { tlsUnique, exporter: () => exporter },
    proxyAddress,
  });
  const rules = { policy: 'optional', acceptsExporterOnTls12: false } as const;

  it('accepts base64 of the value and nothing near it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 64 }), fc.string({ maxLength: 90 }), (finished, text) => {
        const connection = peer(Buffer.from(finished), undefined, 'TLSv1.2');
        const right = Buffer.from(finished).toString('base64');
        assert.equal(checkChannelBinding(rules, right, connection), true);
        if (text.trim() !== right) assert.throws(() => checkChannelBinding(rules, text, connection), EstError);
      }),
    );
  });

  it('refuses what cannot be checked: no value, a proxy', () => {
    const text = value.toString('base64');
    assert.throws(() => checkChannelBinding(rules, text, peer(undefined, undefined, 'TLSv1.2')), EstError);
    assert.throws(() => checkChannelBinding(rules, text, peer(value, value, 'TLSv1.2', '192.0.2.9')), EstError);
    assert.throws(() => checkChannelBinding(rules, '', peer(Buffer.alloc(0), undefined, 'TLSv1.2')), EstError);
    assert.equal(checkChannelBinding({ ...rules, policy: 'none' }, text, peer(undefined, undefined, 'TLSv1.2')), false);
    assert.equal(checkChannelBinding(rules, undefined, peer(undefined, undefined, 'TLSv1.2')), false);
  });

  it('takes tls-unique on DTLS 1.2, and tls-exporter where the label says so, RFC 9148 §3', () => {
    const exported = Buffer.alloc(32, 6);
    const connection = peer(value, exported, 'DTLSv1.2');
    assert.equal(checkChannelBinding(rules, value.toString('base64'), connection), true);
    const text = exported.toString('base64');
    assert.throws(() => checkChannelBinding(rules, text, connection), EstError);
    checkChannelBinding({ ...rules, acceptsExporterOnTls12: true }, text, connection);
  });
});
