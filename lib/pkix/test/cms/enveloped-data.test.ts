import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type DecryptionKey, decryptEnvelopedData } from '../../src/cms/decrypt-enveloped-data.ts';
import {
  type ContentEncryption,
  createEnvelopedData,
  type EnvelopedData,
  type Recipient,
  readEnvelopedData,
} from '../../src/cms/enveloped-data.ts';
import { CmsError } from '../../src/cms/error.ts';
import { keyDeliveryTo } from '../../src/cms/recipient.ts';
import { keyUsage } from '../../src/extensions.ts';
import { contentTypes } from '../../src/object-identifiers.ts';
import { type Identity, makeCertificate } from '../support/certificates.ts';
import { opensslDecrypt, opensslEncrypt } from './openssl.ts';

const rsa = makeCertificate({
  subject: 'CN=rsa',
  key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
});
const ec = (namedCurve: string): Identity =>
  makeCertificate({ subject: `CN=${namedCurve}`, key: generateKeyPairSync('ec', { namedCurve }).privateKey });
const p256 = ec('P-256');
const p384 = ec('P-384');
const p521 = ec('P-521');
const ed25519 = makeCertificate({ subject: 'CN=ed', key: generateKeyPairSync('ed25519').privateKey });
const shared = { identifier: randomBytes(6), key: randomBytes(32) };

const content = Buffer.from('a private key, for instance');
const encryptions: readonly ContentEncryption[] = ['aes-128-cbc', 'aes-256-cbc', 'aes-128-gcm', 'aes-256-gcm'];

type Case = { readonly recipient: Recipient; readonly holder: Identity | typeof shared };

const cases: Readonly<Record<string, Case>> = {
  'RSAES-OAEP (RFC 3560)': {
    recipient: { kind: 'key-transport', certificate: rsa.certificate, padding: 'oaep-sha256' },
    holder: rsa,
  },
  'RSAES-OAEP by key identifier': {
    recipient: {
      kind: 'key-transport',
      certificate: rsa.certificate.der,
      padding: 'oaep-sha256',
      identifyBy: 'subject-key-identifier',
    },
    holder: rsa,
  },
  'RSAES-PKCS1-v1_5 (RFC 3370 §4.2.1)': {
    recipient: { kind: 'key-transport', certificate: rsa.certificate, padding: 'pkcs1' },
    holder: rsa,
  },
  'ECDH on P-256 (RFC 5753)': { recipient: { kind: 'key-agreement', certificate: p256.certificate }, holder: p256 },
  'ECDH on P-384 (RFC 5753)': { recipient: { kind: 'key-agreement', certificate: p384.certificate }, holder: p384 },
  'ECDH on P-521 (RFC 5753)': { recipient: { kind: 'key-agreement', certificate: p521.certificate }, holder: p521 },
  'ECDH by key identifier': {
    recipient: { kind: 'key-agreement', certificate: p256.certificate.der, identifyBy: 'subject-key-identifier' },
    holder: p256,
  },
  'ECDH above AES-128 key wrap (RFC 5753 §7.1.5)': {
    recipient: { kind: 'key-agreement', certificate: p256.certificate, keyWrap: 'aes-128-wrap' },
    holder: p256,
  },
  'AES-256 key wrap (RFC 3394)': {
    recipient: { kind: 'key-encryption-key', identifier: shared.identifier, key: shared.key },
    holder: shared,
  },
};

function keyOf(holder: Identity | typeof shared): DecryptionKey {
  if (!('certificate' in holder)) return { kind: 'key-encryption-key', ...holder };
  return { kind: 'private-key', key: holder.key, certificate: holder.certificate };
}

function forOpenssl(holder: Identity | typeof shared) {
  return 'certificate' in holder ? holder : { identifier: holder.identifier, secret: holder.key };
}

function message(recipient: Recipient, contentEncryption: ContentEncryption, contentType: string = contentTypes.data) {
  return createEnvelopedData({ content, contentType, recipient, contentEncryption });
}

function refuses(act: () => unknown, detail: RegExp): void {
  assert.throws(act, (error: unknown) => {
    assert.ok(error instanceof CmsError, String(error));
    assert.match(error.detail, detail);
    return true;
  });
}

describe('RFC 5652 §6, RFC 5083: what is written', () => {
  for (const [name, { recipient, holder }] of Object.entries(cases)) {
    for (const encryption of encryptions) {
      it(`${name} with ${encryption} is opened by openssl`, () => {
        assert.deepEqual(opensslDecrypt(message(recipient, encryption), forOpenssl(holder)), content);
      });
    }
    it(`${name} is opened by the recipient, whatever the content type`, () => {
      for (const encryption of encryptions) {
        const read = readEnvelopedData(message(recipient, encryption, contentTypes.signedData));
        assert.equal(read.contentType, contentTypes.signedData);
        assert.deepEqual(decryptEnvelopedData(read, keyOf(holder)), content);
      }
    });
  }

  it('is AuthEnvelopedData for AES-GCM and EnvelopedData for AES-CBC', () => {
    const { recipient } = cases['RSAES-OAEP (RFC 3560)'] ?? assert.fail();
    for (const encryption of encryptions) {
      const { authentication } = readEnvelopedData(message(recipient, encryption));
      assert.equal(authentication !== undefined, encryption.endsWith('gcm'));
    }
  });

  it('holds contents of any length', () => {
    const recipient: Recipient = { kind: 'key-encryption-key', ...shared };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom(...encryptions), (octets, contentEncryption) => {
        const der = createEnvelopedData({
          content: octets,
          contentType: contentTypes.data,
          recipient,
          contentEncryption,
        });
        assert.deepEqual(Uint8Array.from(decryptEnvelopedData(readEnvelopedData(der), keyOf(shared))), octets);
      }),
      { numRuns: 200 },
    );
  });

  it('never repeats a key, an IV or a nonce', () => {
    const recipient: Recipient = { kind: 'key-encryption-key', ...shared };
    for (const encryption of encryptions) {
      const read = [0, 1].map(() => readEnvelopedData(message(recipient, encryption)));
      const [first, second] = read.map(({ contentEncryptionAlgorithm: { parameters = '' }, encryptedContent }) => [
        Buffer.from(parameters).toString('hex'),
        Buffer.from(encryptedContent).toString('hex'),
      ]);
      assert.notEqual(first?.[0], second?.[0]);
      assert.notEqual(first?.[1], second?.[1]);
    }
  });
});

describe('RFC 5652 §6, RFC 5083: what openssl writes is opened', () => {
  const rows: readonly (readonly [string, Identity | typeof shared, readonly string[]])[] = [
    ['PKCS #1 v1.5 and AES-256-CBC', rsa, ['-aes-256-cbc']],
    ['PKCS #1 v1.5 and AES-192-CBC', rsa, ['-aes-192-cbc']],
    ['OAEP with SHA-1', rsa, ['-aes-128-cbc', '-keyopt', 'rsa_padding_mode:oaep']],
    ['OAEP with SHA-256', rsa, ['-aes-128-cbc', '-keyopt', 'rsa_padding_mode:oaep', '-keyopt', 'rsa_oaep_md:sha256']],
    ['a recipient by key identifier', rsa, ['-aes-128-cbc', '-keyid']],
    ['ECDH with SHA-256', p256, ['-aes-256-cbc', '-keyopt', 'ecdh_kdf_md:sha256']],
    ['ECDH with SHA-384 and AES-128 wrap', p384, ['-aes-128-cbc', '-aes128-wrap', '-keyopt', 'ecdh_kdf_md:sha384']],
    ['ECDH and AES-GCM', p256, ['-aes-256-gcm', '-keyopt', 'ecdh_kdf_md:sha256']],
    ['AES-128-GCM to an RSA key', rsa, ['-aes-128-gcm']],
    ['a shared key', shared, ['-aes-256-cbc']],
  ];
  for (const [name, holder, options] of rows) {
    it(name, () => {
      const der = opensslEncrypt(content, forOpenssl(holder), options);
      assert.deepEqual(decryptEnvelopedData(readEnvelopedData(der), keyOf(holder)), content);
    });
  }
});

describe('RFC 5652 §6.2: recipients', () => {
  it('have a key that can be used as they say', () => {
    const encrypt = (recipient: Recipient) => message(recipient, 'aes-128-cbc');
    refuses(
      () => encrypt({ kind: 'key-transport', certificate: p256.certificate, padding: 'pkcs1' }),
      /key transport: a key of kind ec/,
    );
    refuses(() => encrypt({ kind: 'key-agreement', certificate: rsa.certificate }), /key agreement: a key of kind rsa/);
    refuses(() => encrypt({ kind: 'key-agreement', certificate: ed25519.certificate }), /kind ed25519/);
    refuses(
      () => encrypt({ kind: 'key-encryption-key', identifier: shared.identifier, key: randomBytes(20) }),
      /20 octets/,
    );
  });

  it('are told apart: a message for another is not opened', () => {
    const der = message({ kind: 'key-agreement', certificate: p256.certificate }, 'aes-128-gcm');
    for (const holder of [p384, rsa, shared]) {
      refuses(() => decryptEnvelopedData(readEnvelopedData(der), keyOf(holder)), /not for this recipient/);
    }
  });

  it('get keys by key usage, RFC 5280 §4.2.1.3', () => {
    const withUsage = (key: Identity['key'], usages: Parameters<typeof keyUsage>[0]) =>
      keyDeliveryTo(makeCertificate({ key, extensions: [keyUsage(usages)] }).certificate);
    assert.equal(keyDeliveryTo(rsa.certificate), 'key-transport');
    assert.equal(keyDeliveryTo(p256.certificate), 'key-agreement');
    assert.equal(keyDeliveryTo(ed25519.certificate), undefined);
    assert.equal(withUsage(rsa.key, ['digitalSignature']), undefined);
    assert.equal(withUsage(rsa.key, ['digitalSignature', 'keyEncipherment']), 'key-transport');
    assert.equal(withUsage(p256.key, ['digitalSignature']), undefined);
    assert.equal(withUsage(p256.key, ['keyAgreement']), 'key-agreement');
  });
});

describe('RFC 3218 §2.3, RFC 5652 §14: what cannot be opened', () => {
  const last = (bytes: Uint8Array): Uint8Array => {
    const copy = Buffer.from(bytes);
    copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 1;
    return copy;
  };

  it('is refused in the same words, whichever part was changed', () => {
    for (const { recipient, holder } of Object.values(cases)) {
      const good = readEnvelopedData(message(recipient, 'aes-256-gcm'));
      const [info] = good.recipients;
      const changedInfo =
        info?.kind === 'key-agreement'
          ? {
              ...info,
              encryptedKeys: info.encryptedKeys.map((one) => ({ ...one, encryptedKey: last(one.encryptedKey) })),
            }
          : info !== undefined && info.kind !== 'other'
            ? { ...info, encryptedKey: last(info.encryptedKey) }
            : assert.fail();
      const { authentication = assert.fail() } = good;
      const changed: readonly EnvelopedData[] = [
        { ...good, encryptedContent: last(good.encryptedContent) },
        { ...good, recipients: [changedInfo] },
        { ...good, authentication: { ...authentication, mac: last(authentication.mac) } },
      ];
      for (const one of changed) {
        refuses(() => decryptEnvelopedData(one, keyOf(holder)), /^(EnvelopedData: )?the content cannot be decrypted$/);
      }
    }
  });

  it('is refused when the content type outside is not the one that is authenticated', () => {
    const { recipient, holder } = cases['AES-256 key wrap (RFC 3394)'] ?? assert.fail();
    const good = readEnvelopedData(message(recipient, 'aes-128-gcm', contentTypes.signedData));
    refuses(
      () => decryptEnvelopedData({ ...good, contentType: contentTypes.asymmetricKeyPackage }, keyOf(holder)),
      /content type is another one/,
    );
  });

  it('is never opened by a reader that is given foreign octets, which are all refused by CmsError', () => {
    const samples = Object.values(cases).map(({ recipient, holder }) => ({
      holder,
      der: Buffer.from(message(recipient, 'aes-128-gcm', contentTypes.signedData)),
    }));
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        ({ der, holder }, at, by) => {
          const changed = Buffer.from(der);
          const index = at % der.length;
          changed[index] = (changed[index] ?? 0) ^ by;
          try {
            assert.deepEqual(decryptEnvelopedData(readEnvelopedData(changed), keyOf(holder)), content);
          } catch (error) {
            assert.ok(error instanceof CmsError, String(error));
          }
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('is refused when it is cut, too long or of another type', () => {
    const der = message({ kind: 'key-encryption-key', ...shared }, 'aes-128-cbc');
    refuses(() => readEnvelopedData(der.subarray(0, 40)), /EnvelopedData/);
    refuses(() => readEnvelopedData(Buffer.concat([der, Buffer.alloc(1)])), /EnvelopedData/);
    refuses(() => readEnvelopedData(new Uint8Array()), /EnvelopedData/);
    refuses(() => readEnvelopedData(Buffer.alloc(2 ** 20 + 1)), /more than/);
  });
});
