// Which key usage reaches a certificate, by kind of subject key.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { extensionOf, readCertificate } from '@gatehouse/pkix/certificate';
import { type KeyUsage, readKeyUsage } from '@gatehouse/pkix/extensions';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import { generateSoftwareKey, type KeyAlgorithm } from '../../src/keys/software-key.ts';
import { createSoftwareSigner } from '../../src/keys/software-signer.ts';
import { keyUsageFor, usableKeyUsage } from '../../src/x509/key-usage.ts';
import { contentsFor, createTestAuthority, issueTestCertificate } from './builders.ts';

const authority = createTestAuthority('ecdsa-p256');

type Wanted = { readonly keyUsage: readonly KeyUsage[]; readonly rsaKeyUsage: readonly KeyUsage[] };

function usageOf(algorithm: KeyAlgorithm, wanted: Wanted): readonly KeyUsage[] | undefined {
  const { subjectPublicKeyInfo } = createSoftwareSigner(generateSoftwareKey(algorithm));
  const { der } = issueTestCertificate(authority, wanted, contentsFor(subjectPublicKeyInfo));
  const extension = extensionOf(readCertificate(der), extensionIds.keyUsage);
  assert.equal(extension?.isCritical ?? true, true);
  return extension === undefined ? undefined : readKeyUsage(extension.value);
}

describe('RFC 5280 §4.2.1.3: key usage', () => {
  const server: Wanted = { keyUsage: ['digitalSignature'], rsaKeyUsage: ['keyEncipherment'] };

  it('gets what the profile adds for RSA only with an RSA key', () => {
    assert.deepEqual(usageOf('rsa-2048', server), ['digitalSignature', 'keyEncipherment']);
    assert.deepEqual(usageOf('ecdsa-p256', server), ['digitalSignature']);
  });

  it('RFC 5480 §3: an EC key agrees on keys and does not encipher', () => {
    const wanted: Wanted = { keyUsage: ['digitalSignature', 'keyEncipherment', 'keyAgreement'], rsaKeyUsage: [] };
    assert.deepEqual(usageOf('ecdsa-p384', wanted), ['digitalSignature', 'keyAgreement']);
  });

  it('RFC 3279 §2.3.1: an RSA key enciphers and does not agree on keys', () => {
    const wanted: Wanted = { keyUsage: ['digitalSignature', 'keyEncipherment', 'keyAgreement'], rsaKeyUsage: [] };
    assert.deepEqual(usageOf('rsa-2048', wanted), ['digitalSignature', 'keyEncipherment']);
  });

  it('RFC 8410 §5 and RFC 9881 §5: Ed25519 and ML-DSA keys only sign', () => {
    const wanted: Wanted = { keyUsage: ['digitalSignature', 'keyEncipherment', 'keyAgreement'], rsaKeyUsage: [] };
    assert.deepEqual(usageOf('ed25519', wanted), ['digitalSignature']);
    assert.deepEqual(usageOf('ml-dsa-65', wanted), ['digitalSignature']);
  });

  it('refuses a key that can do nothing of what the profile wants', () => {
    const wanted: Wanted = { keyUsage: [], rsaKeyUsage: ['keyEncipherment'] };
    assert.throws(() => usageOf('ed25519', wanted), { name: 'CoreError', code: 'bad-key' });
    assert.deepEqual(usageOf('rsa-2048', wanted), ['keyEncipherment']);
  });

  it('is left out when the profile wants none', () => {
    assert.equal(usageOf('ecdsa-p256', { keyUsage: [], rsaKeyUsage: [] }), undefined);
  });

  it('never has a bit that the profile does not want', () => {
    for (const kind of ['ec', 'rsa', 'ed25519', 'ml-dsa'] as const) {
      for (const name of usableKeyUsage[kind]) {
        assert.deepEqual(keyUsageFor(kind, { keyUsage: [name], rsaKeyUsage: [] }), [name]);
      }
    }
  });

  it('refuses subject keys of other algorithms', () => {
    const { publicKey } = generateKeyPairSync('x25519');
    const contents = contentsFor(publicKey.export({ type: 'spki', format: 'der' }));
    assert.throws(() => issueTestCertificate(authority, {}, contents), { name: 'CoreError', code: 'bad-key' });
  });
});
