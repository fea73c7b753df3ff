// The second look at what was signed: nothing passes it that is not exactly what was intended.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import fc from 'fast-check';
import { generateSoftwareKey, keyAlgorithms } from '../../src/keys/software-key.ts';
import { createSoftwareSigner } from '../../src/keys/software-signer.ts';
import { assembleCertificate, checkIssued, checkIssuedSync } from '../../src/x509/certificate.ts';
import { verifyStrictly } from '../openssl.ts';
import { contentsFor, createTestAuthority, issueTestCertificate } from './builders.ts';

const authority = createTestAuthority('ecdsa-p256');
const issuer = authority.certificate;
const subjectKey = createSoftwareSigner(generateSoftwareKey('ecdsa-p256')).subjectPublicKeyInfo;
const { der, tbs } = issueTestCertificate(authority, {}, contentsFor(subjectKey));
const refusal = { name: 'CoreError', code: 'internal' };

describe('CORE step 8: what was signed is checked before it is recorded', () => {
  it('accepts what was intended, on this thread and on the thread pool', async () => {
    checkIssuedSync({ certificate: der, tbs, issuer });
    await checkIssued({ certificate: der, tbs, issuer });
    await checkIssued({ certificate: der, tbs, issuer }, true);
  });

  it('refuses a certificate with any one bit changed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: der.length * 8 - 1 }), (bit) => {
        const certificate = Buffer.from(der);
        certificate[bit >> 3] = (certificate[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
        assert.throws(() => checkIssuedSync({ certificate, tbs, issuer }), refusal);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses a certificate that is cut off or goes on', () => {
    assert.throws(() => checkIssuedSync({ certificate: der.subarray(0, -1), tbs, issuer }), refusal);
    assert.throws(() => checkIssuedSync({ certificate: Buffer.concat([der, Buffer.of(0)]), tbs, issuer }), refusal);
  });

  it('refuses another certificate of the same issuer', () => {
    const other = issueTestCertificate(authority, {}, contentsFor(subjectKey));
    assert.throws(() => checkIssuedSync({ certificate: other.der, tbs, issuer }), refusal);
  });

  it('refuses the signature of another key, on this thread and on the thread pool', async () => {
    const other = createTestAuthority('ecdsa-p256');
    const certificate = assembleCertificate(tbs, other.signer.signatureAlgorithm, other.signer.sign(tbs));
    assert.throws(() => checkIssuedSync({ certificate, tbs, issuer }), refusal);
    await assert.rejects(checkIssued({ certificate, tbs, issuer }), refusal);
    await assert.rejects(checkIssued({ certificate, tbs, issuer }, true), refusal);
  });

  it('RFC 5280 §4.1.1.2: refuses two signature algorithms that differ', () => {
    const signature = authority.signer.sign(tbs);
    const certificate = assembleCertificate(
      tbs,
      createSoftwareSigner(generateSoftwareKey('ed25519')).signatureAlgorithm,
      signature,
    );
    assert.throws(() => checkIssuedSync({ certificate, tbs, issuer }), refusal);
  });

  it('says nothing of the reason to the client, and all of it to the log', () => {
    assert.throws(
      () => checkIssuedSync({ certificate: der.subarray(0, -1), tbs, issuer }),
      (error) => {
        assert.ok(error instanceof Error && error.cause instanceof Error);
        assert.doesNotMatch(error.message, /DER/);
        assert.match(error.cause.message, /DER/);
        return true;
      },
    );
  });
});

describe('every key algorithm issues', () => {
  const paddings = (algorithm: string) =>
    algorithm.startsWith('rsa') ? (['pkcs1', 'pss'] as const) : (['pkcs1'] as const);
  for (const algorithm of keyAlgorithms) {
    for (const padding of paddings(algorithm)) {
      it(`${algorithm}${padding === 'pss' ? ' with PSS' : ''}: certificates that node and openssl verify`, () => {
        const ca = createTestAuthority(algorithm, padding);
        const issued = issueTestCertificate(
          ca,
          { extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] },
          contentsFor(subjectKey, { notAfter: new Date('2055-01-01T00:00:00Z') }),
        );
        checkIssuedSync({ certificate: issued.der, tbs: issued.tbs, issuer: ca.certificate });
        const node = new X509Certificate(issued.der);
        const anchor = new X509Certificate(ca.certificate.der);
        assert.ok(node.verify(anchor.publicKey));
        assert.ok(node.checkIssued(anchor));
        // OpenSSL 3.0 knows no ML-DSA; node's OpenSSL has judged those.
        if (algorithm.startsWith('ml-dsa')) return;
        const at = new Date('2027-01-01T00:00:00Z');
        verifyStrictly({ anchor: ca.certificate.der, certificate: ca.certificate.der, at });
        verifyStrictly({ anchor: ca.certificate.der, certificate: issued.der, purpose: 'sslserver', at });
      });
    }
  }

  it('an empty subject passes openssl -x509_strict', () => {
    const { der: nameless } = issueTestCertificate(authority, {}, contentsFor(subjectKey, { subject: [] }));
    verifyStrictly({ anchor: issuer.der, certificate: nameless, at: new Date('2027-01-01T00:00:00Z') });
  });

  it('a certificate with every extension passes openssl -x509_strict', () => {
    const facts = {
      policies: ['2.23.140.1.2.1'],
      extendedKeyUsage: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'],
      authorityInformationAccess: { ocsp: ['http://s.example/o'], caIssuers: ['http://s.example/c'] },
      crlDistributionPoints: ['http://s.example/1.crl'],
    };
    const mustStaple = { id: extensionIds.tlsFeature, isCritical: false, value: Buffer.from('3003020105', 'hex') };
    const full = issueTestCertificate(authority, facts, contentsFor(subjectKey, { extensions: [mustStaple] }));
    verifyStrictly({ anchor: issuer.der, certificate: full.der, purpose: 'sslclient', at: new Date('2027-01-01Z') });
  });
});
