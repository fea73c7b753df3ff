// Names of CRLs, the choice of a shard, and the addresses that certificates and CRLs must agree on.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  caScope,
  chooseCrlScope,
  crlUrl,
  issuerId,
  issuerUrl,
  ocspUrl,
  scopeKind,
  shardOf,
  shardScope,
} from '../../src/revocation/crl-scope.ts';
import { createTestAuthority } from '../x509/builders.ts';

const serialNumbers = fc.uint8Array({ minLength: 1, maxLength: 20 });

describe('RFC 5280 §5.2.5: the CRL that a certificate belongs to', () => {
  it('is shard (serial mod N) + 1 for an end entity, whatever the length of the serial number', () => {
    fc.assert(
      fc.property(serialNumbers, fc.integer({ min: 1, max: 4096 }), (serialNumber, shards) => {
        const number = BigInt(`0x${Buffer.from(serialNumber).toString('hex')}`);
        const shard = Number(number % BigInt(shards)) + 1;
        assert.equal(shardOf(serialNumber, shards), shard);
        assert.equal(chooseCrlScope('issuing', shards, serialNumber, false), `issuing-${shard}`);
      }),
    );
  });

  it('is the complete one when there are no shards', () => {
    assert.equal(chooseCrlScope('issuing', 0, Uint8Array.of(7), false), 'issuing');
  });

  it('is that of CA certificates for a CA, with shards or without', () => {
    assert.equal(chooseCrlScope('issuing', 8, Uint8Array.of(7), true), 'issuing-ca');
    assert.equal(chooseCrlScope('issuing', 0, Uint8Array.of(7), true), 'issuing-ca');
  });
});

describe('names of CRLs', () => {
  it('tell what they cover', () => {
    assert.deepEqual(scopeKind('issuing'), { authority: 'issuing', kind: 'complete' });
    assert.deepEqual(scopeKind('root'), { authority: 'root', kind: 'complete' });
    assert.deepEqual(scopeKind(caScope('issuing')), { authority: 'issuing', kind: 'ca' });
    assert.deepEqual(scopeKind(shardScope('issuing', 4096)), { authority: 'issuing', kind: 'shard', shard: 4096 });
  });

  it('are plain: nothing that a path or a URL could misread is one', () => {
    for (const text of [
      '',
      'issuing-',
      'issuing-0',
      'issuing-01',
      'issuing-1-delta',
      '../core',
      'Issuing',
      'a b',
      'a\n',
    ]) {
      assert.throws(() => scopeKind(text), RangeError, JSON.stringify(text));
    }
  });
});

describe('RFC 5280 §4.2.1.13, §4.2.2.1: addresses below the base URL', () => {
  const base = 'http://status.example:6960/pki';

  it('are those of CRLs, of their deltas, and of OCSP', () => {
    assert.equal(crlUrl(base, 'issuing-3'), 'http://status.example:6960/pki/crl/issuing-3.crl');
    assert.equal(crlUrl(base, 'issuing-3', true), 'http://status.example:6960/pki/crl/issuing-3-delta.crl');
    assert.equal(ocspUrl(base), 'http://status.example:6960/pki/ocsp');
  });

  it("name an issuer by its certificate's subjectKeyIdentifier", () => {
    const { certificate } = createTestAuthority('ecdsa-p256');
    assert.match(issuerId(certificate), /^[0-9a-f]{40}$/);
    assert.equal(issuerUrl(base, certificate), `${base}/issuer/${issuerId(certificate)}.crt`);
  });
});
