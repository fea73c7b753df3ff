import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { PeerFacts } from '@gatehouse/gateway-kit/peer';
import { ProxyHeaderError, proxiesSchema, resolvePeer } from '@gatehouse/gateway-kit/proxy';
import fc from 'fast-check';
import { createClientCertificate } from './support/test-server.ts';

const proxy = createClientCertificate();
const device = createClientCertificate();
const sha256 = createHash('sha256').update(proxy.certificate).digest('hex');
const proxies = proxiesSchema.parse([{ certificateSha256: sha256.toUpperCase().replaceAll(/(..)(?=.)/g, '$1:') }]);

const peer: PeerFacts = {
  remoteAddress: '192.0.2.1',
  tlsVersion: 'TLSv1.2',
  cipher: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  certificate: proxy.certificate,
  chain: [proxy.intermediate],
  channelBinding: { tlsUnique: Buffer.from('unique'), exporter: () => Buffer.from('exporter') },
};

const field = (der: Uint8Array): string => `:${Buffer.from(der).toString('base64')}:`;
const headers =
  (fields: Readonly<Record<string, string>>) =>
  (name: string): string | undefined =>
    fields[name];

describe('RFC 9440 §2: client certificates through a proxy', () => {
  it('are believed from a listed proxy', () => {
    const facts = resolvePeer(
      peer,
      headers({
        'client-cert': field(device.certificate),
        'client-cert-chain': `${field(device.intermediate)}, ${field(proxy.certificate)}`,
      }),
      proxies,
    );
    assert.deepEqual(Buffer.from(facts.certificate ?? []), Buffer.from(device.certificate));
    assert.equal(facts.chain.length, 2);
    assert.equal(facts.proxyAddress, '192.0.2.1');
  });

  it('leave nothing to bind to', () => {
    const { channelBinding } = resolvePeer(peer, headers({ 'client-cert': field(device.certificate) }), proxies);
    assert.equal(channelBinding.tlsUnique, undefined);
    assert.equal(channelBinding.exporter(), undefined);
  });

  it('the certificate of the proxy itself is never taken for its client’s', () => {
    const facts = resolvePeer(peer, headers({}), proxies);
    assert.equal(facts.certificate, undefined);
    assert.deepEqual(facts.chain, []);
  });

  for (const [title, from] of [
    ['a peer without a certificate', { ...peer, certificate: undefined }],
    ['a peer that is not listed', { ...peer, certificate: device.certificate }],
  ] as const) {
    it(`are ignored from ${title}`, () => {
      assert.equal(resolvePeer(from, headers({ 'client-cert': field(device.certificate) }), proxies), from);
    });
  }

  for (const [title, fields] of [
    ['a chain without a certificate', { 'client-cert-chain': field(device.intermediate) }],
    ['text that is no byte sequence', { 'client-cert': Buffer.from(device.certificate).toString('base64') }],
    ['two members in Client-Cert', { 'client-cert': `${field(device.certificate)}, ${field(device.certificate)}` }],
    ['octets that are no certificate', { 'client-cert': field(Buffer.from('hello')) }],
    ['an empty byte sequence', { 'client-cert': '::' }],
    [
      'more than eight chain members',
      {
        'client-cert': field(device.certificate),
        'client-cert-chain': Array(9).fill(field(device.intermediate)).join(','),
      },
    ],
    ['a field above 64 KiB', { 'client-cert': `:${'A'.repeat(70_000)}:` }],
  ] as const) {
    it(`are refused: ${title}`, () => {
      assert.throws(() => resolvePeer(peer, headers(fields), proxies), ProxyHeaderError);
    });
  }

  it('any field is a certificate or a ProxyHeaderError', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (certificate, chain) => {
        try {
          resolvePeer(peer, headers({ 'client-cert': certificate, 'client-cert-chain': chain }), proxies);
        } catch (error) {
          assert.ok(error instanceof ProxyHeaderError);
        }
      }),
    );
  });

  it('the list takes only SHA-256 fingerprints', () => {
    assert.equal(proxiesSchema.safeParse([{ certificateSha256: 'abcd' }]).success, false);
    assert.deepEqual(proxiesSchema.parse(undefined), []);
  });
});
