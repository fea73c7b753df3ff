import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import type { ContentEncryption } from '../../src/cms/content-encryption.ts';
import { writeContentInfo } from '../../src/cms/content-info.ts';
import type { DecryptionKey } from '../../src/cms/decrypt-enveloped-data.ts';
import { createEncryptedKeyPackage, openEncryptedKeyPackage } from '../../src/cms/encrypted-key-package.ts';
import { createEnvelopedData } from '../../src/cms/enveloped-data.ts';
import { CmsError } from '../../src/cms/error.ts';
import type { Recipient } from '../../src/cms/recipient.ts';
import { createSignedData, readSignedData } from '../../src/cms/signed-data.ts';
import { contentTypes } from '../../src/object-identifiers.ts';
import { makeCertificate } from '../support/certificates.ts';
import { opensslDecrypt } from './openssl.ts';

const signer = makeCertificate({ subject: 'CN=maker of keys' });
const owner = makeCertificate({ subject: 'CN=owner' });
const shared = { identifier: randomBytes(8), key: randomBytes(16) };
const generated = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const privateKey = generated.privateKey.export({ type: 'pkcs8', format: 'der' });

const toOwner: Recipient = { kind: 'key-agreement', certificate: owner.certificate };
const ownersKey: DecryptionKey = { kind: 'private-key', ...owner };

function enclose(recipient: Recipient, contentEncryption: ContentEncryption): Uint8Array {
  const certificates = [signer.certificate.der];
  return createEncryptedKeyPackage({ privateKey, signer, certificates, recipient, contentEncryption });
}

describe('RFC 7030 §4.4.2, RFC 5958 §4: a generated key for its owner', () => {
  for (const contentEncryption of ['aes-128-cbc', 'aes-256-gcm'] as const) {
    it(`is found inside by its owner, signed by its maker, with ${contentEncryption}`, () => {
      const rows: readonly (readonly [Recipient, DecryptionKey])[] = [
        [toOwner, ownersKey],
        [
          { kind: 'key-encryption-key', ...shared },
          { kind: 'key-encryption-key', ...shared },
        ],
      ];
      for (const [recipient, decryptionKey] of rows) {
        const { keys, signers } = openEncryptedKeyPackage(enclose(recipient, contentEncryption), decryptionKey);
        assert.deepEqual(
          keys.map((key) => Buffer.from(key)),
          [privateKey],
        );
        assert.equal(signers[0]?.serialNumber, signer.certificate.serialNumber);
        const found = createPublicKey(
          createPrivateKey({ key: Buffer.from(keys[0] ?? ''), format: 'der', type: 'pkcs8' }),
        );
        assert.ok(found.equals(generated.publicKey));
      }
    });
  }

  it('is SignedData inside of EnvelopedData, as openssl sees it', () => {
    const content = opensslDecrypt(enclose(toOwner, 'aes-256-cbc'), owner);
    const signed = readSignedData(writeContentInfo(contentTypes.signedData, content));
    assert.equal(signed.contentType, contentTypes.asymmetricKeyPackage);
  });

  it('leaves the key that was given as it is', () => {
    enclose(toOwner, 'aes-128-cbc');
    assert.ok(createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' }));
  });

  it('is refused when it is not signed, not a key, or for another', () => {
    const envelop = (content: Uint8Array, contentType: string) =>
      createEnvelopedData({ content, contentType, recipient: toOwner, contentEncryption: 'aes-128-cbc' });
    const data = createSignedData({
      content: privateKey,
      contentType: contentTypes.data,
      signer,
      certificates: [signer.certificate.der],
    });
    const refuses = (der: Uint8Array, key: DecryptionKey) =>
      assert.throws(() => openEncryptedKeyPackage(der, key), CmsError);
    refuses(envelop(privateKey, contentTypes.data), ownersKey);
    refuses(envelop(data, contentTypes.signedData), ownersKey);
    refuses(enclose(toOwner, 'aes-128-cbc'), { kind: 'private-key', ...signer });
    assert.throws(
      () =>
        createEncryptedKeyPackage({
          privateKey: Buffer.from('no key'),
          signer,
          certificates: [],
          recipient: toOwner,
          contentEncryption: 'aes-128-cbc',
        }),
      CmsError,
    );
  });
});
