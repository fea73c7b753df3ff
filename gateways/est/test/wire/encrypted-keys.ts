import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { newKey, newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import type { RequestAttribute } from '@gatehouse/pkix/certification-request';
import { readAsymmetricKeyPackage } from '@gatehouse/pkix/cms/asymmetric-key-package';
import { readCertificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import type { DecryptionKey } from '@gatehouse/pkix/cms/decrypt-enveloped-data';
import { openEncryptedKeyPackage } from '@gatehouse/pkix/cms/encrypted-key-package';
import { readEnvelopedData } from '@gatehouse/pkix/cms/enveloped-data';
import { explicit, nullValue, objectIdentifier, octetString, sequence, wrap } from '@gatehouse/pkix/der/writer';
import { findExtension, readExtendedKeyUsage } from '@gatehouse/pkix/extensions';
import {
  algorithms,
  contentTypes,
  extensionIds,
  keyPurposes,
  pkcs9Attributes,
} from '@gatehouse/pkix/object-identifiers';
import { publicKeyFingerprint } from '@gatehouse/pkix/public-key';
import { type ClientIdentity, certificateOf, type EstClient, type EstResponse } from '../support/client.ts';
import { keyIdentifierOf } from '../support/cmc.ts';
import { escrow, escrowCertificate, keyEncryptionKeys, password } from '../support/cms-settings.ts';
import type { Stack } from '../support/stack.ts';

const alice = `alice:${password}`;
const path = (label: string) => `/.well-known/est/${label}/serverkeygen`;
const { text, binary, foreign } = keyEncryptionKeys;

/** SMIMECapabilities of these algorithms, each with its parameters. */
const capabilities = (...list: readonly (string | readonly [string, Uint8Array])[]): RequestAttribute => ({
  type: pkcs9Attributes.smimeCapabilities,
  values: [
    sequence(
      ...list.map((entry) =>
        typeof entry === 'string' ? sequence(objectIdentifier(entry)) : sequence(objectIdentifier(entry[0]), entry[1]),
      ),
    ),
  ],
});
const symmetric = (identifier: Uint8Array): RequestAttribute => ({
  type: pkcs9Attributes.decryptKeyIdentifier,
  values: [octetString(identifier)],
});
const asymmetric = (identifier: Uint8Array): RequestAttribute => ({
  type: pkcs9Attributes.asymmetricDecryptKeyIdentifier,
  values: [octetString(identifier)],
});

const sha256Identifier = sequence(objectIdentifier(algorithms.sha256), nullValue());
const oaepSha256 = [
  algorithms.rsaesOaep,
  sequence(explicit(0, sha256Identifier), explicit(1, sequence(objectIdentifier(algorithms.mgf1), sha256Identifier))),
] as const;

/** Keys that the gate makes and encrypts, over the wire. */
export function encryptedKeyTests(stack: Stack, send: EstClient): void {
  let count = 0;
  const ask = async (attributes: readonly RequestAttribute[], identity?: ClientIdentity, label = 'default') => {
    const names = identity === undefined ? [`DNS:sealed-${++count}.example.com`] : [];
    const subject = identity === undefined ? '' : 'CN=holder';
    return await send(path(label), {
      body: newRequest({ subject, names, attributes }),
      ...(identity === undefined ? { user: alice } : { identity }),
    });
  };
  const holderOf = async (
    key: KeyObject,
    label = 'recipient',
  ): Promise<ClientIdentity & { certificate: Certificate }> => {
    const body = newRequest({ subject: 'CN=holder', key });
    const certificate = certificateOf(await send(`/.well-known/est/${label}/simpleenroll`, { body, user: alice }));
    return { key, certificate, certificates: [certificate.der] };
  };

  describe('RFC 7030 §4.4.1.1: encryption under a pre-shared key', () => {
    it('is by the key that the client names, with its key wrap and its cipher', async () => {
      for (const [{ identifier, key }, keyWrap, cipher] of [
        [text, algorithms.aes256Wrap, algorithms.aes256Cbc],
        [binary, algorithms.aes128Wrap, algorithms.aes128Gcm],
      ] as const) {
        const response = await ask([symmetric(identifier), capabilities(keyWrap, cipher)]);
        const { enveloped, certificate } = take(response);
        const [recipient] = readEnvelopedData(enveloped).recipients;
        assert.ok(recipient?.kind === 'key-encryption-key');
        assert.deepEqual(Buffer.from(recipient.identifier), identifier);
        assert.equal(recipient.algorithm.oid, keyWrap);
        assert.equal(readEnvelopedData(enveloped).contentEncryptionAlgorithm.oid, cipher);
        open(enveloped, certificate, { kind: 'key-encryption-key', identifier, key });
      }
    });

    it('is opened by openssl, which finds SignedData with the key package in it', async () => {
      const response = await ask([
        symmetric(text.identifier),
        capabilities(algorithms.aes256Wrap, algorithms.aes256Cbc),
      ]);
      const { enveloped, certificate } = take(response);
      const key = ['-secretkey', text.key.toString('hex'), '-secretkeyid', text.identifier.toString('hex')];
      const file = (name: string, content: Uint8Array | string) => {
        const name_ = join(stack.directory, name);
        writeFileSync(name_, content);
        return name_;
      };
      const signedData = openssl(['-decrypt', '-in', file('sealed.der', enveloped), ...key]);
      const signed = sequence(objectIdentifier(contentTypes.signedData), explicit(0, signedData));
      const anchor = file('root.pem', stack.trustAnchor);
      const keyPackage = openssl(['-verify', '-in', file('signed.der', signed), '-CAfile', anchor, '-purpose', 'any']);
      expectKeyOf(readAsymmetricKeyPackage(keyPackage)[0], certificate);
    });

    it('answers 400 for a key that is not known, or not under this label', async () => {
      const known = capabilities(algorithms.aes192Wrap, algorithms.aes256Wrap, algorithms.aes256Cbc);
      for (const identifier of [Buffer.from('device-43'), foreign.identifier]) {
        const response = await ask([symmetric(identifier), known]);
        assert.equal(response.status, 400);
        assert.match(response.body, /DecryptKeyIdentifier: there is no such key/);
      }
    });

    it('answers 400 without SMIMECapabilities, or when they lack what is needed', async () => {
      for (const [attributes, detail] of [
        [[symmetric(text.identifier)], /SMIMECapabilities: missing/],
        [[symmetric(text.identifier), capabilities(algorithms.aes128Wrap, algorithms.aes256Cbc)], /AES-256 key wrap/],
        [
          [symmetric(text.identifier), capabilities(algorithms.aes256Wrap, algorithms.desEde3Cbc)],
          /content encryption/,
        ],
        [
          [
            symmetric(text.identifier),
            { type: pkcs9Attributes.smimeCapabilities, values: [octetString(Buffer.of(1))] },
          ],
          /SMIMECapabilities/,
        ],
        [
          [{ ...symmetric(text.identifier), values: [] }, capabilities(algorithms.aes256Wrap)],
          /DecryptKeyIdentifier: not exactly one/,
        ],
        [
          [symmetric(text.identifier), asymmetric(text.identifier), capabilities(algorithms.aes256Wrap)],
          /exclude each other/,
        ],
      ] as const) {
        const response = await ask(attributes);
        assert.equal(response.status, 400, response.body);
        assert.match(response.body, detail);
        assert.equal(response.headers['content-type'], 'text/plain; charset=utf-8');
      }
    });
  });

  describe('RFC 7030 §4.4.1.2: encryption to a key of a certificate', () => {
    it('is by key transport to the RSA key that the client showed, in clear for nobody else', async () => {
      const holder = await holderOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'recipient-rsa');
      for (const [capability, algorithm] of [
        [oaepSha256, algorithms.rsaesOaep],
        [algorithms.rsaEncryption, algorithms.rsaEncryption],
      ] as const) {
        const attributes = [asymmetric(keyIdentifierOf(holder.key)), capabilities(capability, algorithms.aes256Gcm)];
        const { enveloped, certificate } = take(await ask(attributes, holder, 'recipient-rsa'));
        const [recipient] = readEnvelopedData(enveloped).recipients;
        assert.ok(recipient?.kind === 'key-transport');
        assert.equal(recipient.algorithm.oid, algorithm);
        // RFC 7030 §4.4.2: the key identifier is copied from the attribute.
        assert.equal(recipient.identifier.kind, 'subject-key-identifier');
        open(enveloped, certificate, { kind: 'private-key', key: holder.key, certificate: holder.certificate });
      }
    });

    it('is by key agreement with an EC key, under the key wrap that the client listed', async () => {
      const holder = await holderOf(newKey());
      const fingerprint = publicKeyFingerprint(holder.certificate.subjectPublicKeyInfo);
      const schemeWithWrap = [
        algorithms.dhSinglePassStdDhSha256Kdf,
        sequence(objectIdentifier(algorithms.aes256Wrap)),
      ] as const;
      for (const capability of [algorithms.aes128Wrap, schemeWithWrap]) {
        const attributes = [asymmetric(fingerprint), capabilities(capability, algorithms.aes128Cbc)];
        const { enveloped, certificate } = take(await ask(attributes, holder, 'recipient'));
        const [recipient] = readEnvelopedData(enveloped).recipients;
        assert.ok(recipient?.kind === 'key-agreement');
        open(enveloped, certificate, { kind: 'private-key', key: holder.key, certificate: holder.certificate });
      }
    });

    it('goes to a certificate of the configuration, or to one of ours by SHA-256 of its key', async () => {
      const elsewhere = await holderOf(newKey());
      for (const [identifier, key, certificate] of [
        [keyIdentifierOf(escrow), escrow, escrowCertificate],
        [createHash('sha256').update(escrowCertificate.der).digest(), escrow, escrowCertificate],
        [publicKeyFingerprint(elsewhere.certificate.subjectPublicKeyInfo), elsewhere.key, elsewhere.certificate],
      ] as const) {
        const list = capabilities(oaepSha256, algorithms.aes256Wrap, algorithms.aes256Cbc);
        const taken = take(await ask([asymmetric(identifier), list]));
        open(taken.enveloped, taken.certificate, { kind: 'private-key', key, certificate });
      }
    });

    it('answers 400 for a key that is not known, is not for encryption, or has no algorithm listed', async () => {
      const server = newKey();
      certificateOf(
        await send('/.well-known/est/default/simpleenroll', {
          body: newRequest({ names: ['DNS:signer.example.com'], key: server }),
          user: alice,
        }),
      );
      const fingerprint = createHash('sha256').update(publicKeyOf(server)).digest();
      const list = capabilities(oaepSha256, algorithms.aes128Wrap, algorithms.aes128Cbc);
      for (const [attributes, detail] of [
        [[asymmetric(Buffer.alloc(20, 7)), list], /there is no such key/],
        [[asymmetric(Buffer.alloc(32, 7)), list], /there is no such key/],
        [[asymmetric(fingerprint), list], /neither for transport nor for agreement/],
        [
          [asymmetric(keyIdentifierOf(escrow)), capabilities(algorithms.aes128Wrap, algorithms.aes128Cbc)],
          /key transport/,
        ],
        // RFC 4055 §4.1: empty parameters mean SHA-1.
        [[asymmetric(keyIdentifierOf(escrow)), capabilities([algorithms.rsaesOaep, sequence()])], /key transport/],
        [[asymmetric(keyIdentifierOf(escrow))], /SMIMECapabilities: missing/],
        [
          [{ ...asymmetric(Buffer.of(1)), values: [wrap(0x0c, Buffer.from('text'))] }, list],
          /AsymmetricDecryptKeyIdentifier/,
        ],
      ] as const) {
        const response = await ask(attributes);
        assert.equal(response.status, 400, response.body);
        assert.match(response.body, detail);
      }
    });
  });

  describe('RFC 7030 §4.4.2: the answer', () => {
    it('is multipart with the encrypted key first, which the gate signed as an RA', async () => {
      const response = await ask([symmetric(binary.identifier), capabilities(algorithms.aes128Wrap)]);
      assert.equal(response.headers['cache-control'], 'no-store');
      const { types, enveloped } = take(response);
      assert.deepEqual(types, [
        'application/pkcs7-mime; smime-type=server-generated-key',
        'application/pkcs7-mime; smime-type=certs-only',
      ]);
      const { signers } = openEncryptedKeyPackage(enveloped, { kind: 'key-encryption-key', ...binary });
      const purposes = findExtension(signers[0]?.extensions ?? [], extensionIds.extendedKeyUsage);
      assert.ok(purposes !== undefined && readExtendedKeyUsage(purposes.value).includes(keyPurposes.cmcRA));
      // Listed by nobody, it is what every recipient knows, RFC 8551 §2.7.
      assert.equal(readEnvelopedData(enveloped).contentEncryptionAlgorithm.oid, algorithms.aes128Cbc);
    });

    it('enrols nothing when the key cannot be encrypted', async () => {
      const name = 'unsealed.example.com';
      const body = newRequest({ names: [`DNS:${name}`], attributes: [symmetric(text.identifier)] });
      assert.equal((await send(path('default'), { body, user: alice })).status, 400);
      for await (const record of stack.operator.findCertificates({ name })) assert.fail(record.serialNumber);
    });
  });
}

function publicKeyOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' });
}

function openssl(parameters: readonly string[]): Buffer {
  return execFileSync('openssl', ['cms', ...parameters, '-inform', 'DER', '-binary'], { stdio: 'pipe' });
}

function open(enveloped: Uint8Array, certificate: Certificate, key: DecryptionKey): void {
  const { keys } = openEncryptedKeyPackage(enveloped, key);
  assert.equal(keys.length, 1);
  expectKeyOf(keys[0], certificate);
}

function expectKeyOf(key: Uint8Array | undefined, certificate: Certificate): void {
  assert.ok(key !== undefined);
  const privateKey = createPrivateKey({ key: Buffer.from(key), format: 'der', type: 'pkcs8' });
  assert.deepEqual(publicKeyOf(privateKey), Buffer.from(certificate.subjectPublicKeyInfo));
}

/** Takes a multipart answer apart. */
function take(response: EstResponse): { types: string[]; enveloped: Buffer; certificate: Certificate } {
  assert.equal(response.status, 200, response.body);
  const boundary = /^multipart\/mixed; boundary=(\S+)$/.exec(String(response.headers['content-type']))?.[1];
  assert.ok(boundary !== undefined);
  const parts = response.body
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => part.trim().split('\r\n\r\n'));
  const [enveloped, certificates] = parts.map(([, content = '']) => Buffer.from(content, 'base64'));
  assert.ok(enveloped !== undefined && certificates !== undefined && parts.length === 2);
  const [certificate] = readCertificatesOnly(certificates);
  assert.ok(certificate !== undefined);
  return {
    types: parts.map(([head = '']) => head.replace(/^Content-Type: /i, '')),
    enveloped,
    certificate: readCertificate(certificate),
  };
}
