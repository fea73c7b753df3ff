import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, it } from 'node:test';
import * as pkijs from 'pkijs';
import { writeAttributes, writeContentInfo } from '../../src/cms/content-info.ts';
import { CmsError } from '../../src/cms/error.ts';
import { createSignedData, readSignedData, verifySignedData, verifySigner } from '../../src/cms/signed-data.ts';
import {
  readObjectIdentifierValue,
  readOctetStringValue,
  type SignerInfo,
  writeSignerInfo,
} from '../../src/cms/signer-info.ts';
import { expectDer } from '../../src/der/reader.ts';
import {
  explicit,
  integer,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  wrap,
} from '../../src/der/writer.ts';
import { algorithms, cmcControls, contentTypes, pkcs9Attributes } from '../../src/object-identifiers.ts';
import * as openssl from '../fixtures/openssl.ts';
import { makeAuthority, makeCertificate, newKey, spkiOf } from '../support/certificates.ts';
import { assertOnlyThrows, foreignBytes, octets } from '../support/foreign-bytes.ts';

const content = Buffer.from('to be signed');
const authority = makeAuthority();
const signer = makeCertificate({ subject: 'CN=signer', issuer: authority });
const base = { content, contentType: contentTypes.data, signer, certificates: [signer.certificate.der] };
const reasonOf = (der: Uint8Array, options = {}) => {
  const result = verifySignedData(readSignedData(der), options);
  return result.ok ? 'ok' : result.reason;
};

/** A SignedData by the signer over attributes of the caller's choice. */
function withAttributes(attributes: Parameters<typeof writeAttributes>[0], key: KeyObject = signer.key): Uint8Array {
  const { issuer, issuerDer, serialNumber } = signer.certificate;
  const signedAttributesDer = writeAttributes(attributes);
  const info = writeSignerInfo({
    identifier: { kind: 'issuer-and-serial-number', issuer, issuerDer, serialNumber },
    digestAlgorithm: algorithms.sha256,
    signedAttributesDer,
    signatureAlgorithm: sequence(objectIdentifier(algorithms.ecdsaWithSHA256)),
    signature: sign('sha256', signedAttributesDer, key),
  });
  return message(info);
}
function message(info: Uint8Array, contentType: string = contentTypes.data): Uint8Array {
  return writeContentInfo(
    contentTypes.signedData,
    sequence(
      integer(1),
      setOf([]),
      sequence(objectIdentifier(contentType), explicit(0, octetString(content))),
      wrap(0xa0, signer.certificate.der),
      setOf([info]),
    ),
  );
}
const contentTypeAttribute = { type: pkcs9Attributes.contentType, values: [objectIdentifier(contentTypes.data)] };
const digestAttribute = {
  type: pkcs9Attributes.messageDigest,
  values: [octetString(createHash('sha256').update(content).digest())],
};

describe('RFC 5652 §5: signed data that we make', () => {
  for (const [name, key] of Object.entries({
    'P-256': newKey(),
    'P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
    RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
    Ed25519: generateKeyPairSync('ed25519').privateKey,
    'ML-DSA-65': generateKeyPairSync('ml-dsa-65').privateKey,
  })) {
    it(`verifies with ${name}, whichever way the signer is named`, () => {
      const identity = makeCertificate({ key, issuer: authority });
      for (const identifyBy of ['issuer-and-serial-number', 'subject-key-identifier'] as const) {
        const der = createSignedData({
          ...base,
          signer: identity,
          certificates: [identity.certificate.der],
          identifyBy,
        });
        expectDer(der);
        const result = verifySignedData(readSignedData(der));
        assert.ok(result.ok);
        assert.deepEqual(Buffer.from(result.signers[0]?.der ?? []), Buffer.from(identity.certificate.der));
      }
    });
  }
  it('is verified by another implementation', async () => {
    const info = pkijs.ContentInfo.fromBER(
      Uint8Array.from(createSignedData({ ...base, signingTime: new Date('2026-01-01') })),
    );
    const signed = new pkijs.SignedData({ schema: info.content });
    assert.ok(await signed.verify({ signer: 0, checkChain: false }));
  });
  it('carries content, certificates and the attributes asked for', () => {
    const nonce = Buffer.from('nonce');
    const read = readSignedData(
      createSignedData({
        ...base,
        contentType: contentTypes.pkiData,
        attributes: [{ type: cmcControls.senderNonce, values: [octetString(nonce)] }],
      }),
    );
    assert.equal(read.contentType, contentTypes.pkiData);
    assert.deepEqual(Buffer.from(read.content ?? []), content);
    const attributes = read.signers[0]?.signedAttributes ?? [];
    const value = (type: string) => attributes.find((each) => each.type === type)?.values[0] ?? Buffer.alloc(0);
    assert.deepEqual(Buffer.from(readOctetStringValue(value(cmcControls.senderNonce))), nonce);
    assert.equal(readObjectIdentifierValue(value(pkcs9Attributes.contentType)), contentTypes.pkiData);
  });
  it('may leave the content out, and then needs it for verification', () => {
    const der = createSignedData({ ...base, isDetached: true });
    assert.match(reasonOf(der), /detached/);
    assert.equal(reasonOf(der, { content }), 'ok');
    assert.match(reasonOf(der, { content: Buffer.from('other') }), /not the one that was signed/);
  });
  it('may leave the certificate out, and then needs it for verification', () => {
    const der = createSignedData({ ...base, certificates: [] });
    assert.match(reasonOf(der), /certificate of a signer is missing/);
    assert.equal(reasonOf(der, { certificates: [signer.certificate] }), 'ok');
  });
});

describe('RFC 5652 §5: signed data that openssl made', () => {
  it('is read and verifies', () => {
    const read = readSignedData(octets(openssl.signedData, 'base64'));
    assert.deepEqual(Buffer.from(read.content ?? []), content);
    assert.ok(verifySignedData(read).ok);
  });
  it('is refused with indefinite lengths', () => {
    assert.throws(
      () => readSignedData(octets(openssl.streamedSignedData, 'base64')),
      (error) => error instanceof CmsError && /indefinite/.test(error.detail),
    );
  });
});

describe('RFC 5652 §5.4 and §5.6: verification', () => {
  it('refuses a message that nobody signed', () => {
    const unsigned = writeContentInfo(
      contentTypes.signedData,
      sequence(integer(1), setOf([]), sequence(objectIdentifier(contentTypes.data)), setOf([])),
    );
    assert.match(reasonOf(unsigned), /nobody/);
  });
  it('refuses a signature by another key', () => {
    assert.equal(reasonOf(withAttributes([contentTypeAttribute, digestAttribute])), 'ok');
    assert.match(reasonOf(withAttributes([contentTypeAttribute, digestAttribute], newKey())), /does not verify/);
  });
  it('refuses a content that was changed', () => {
    const der = Buffer.from(createSignedData(base));
    der[der.indexOf(content)] = 0x54;
    assert.match(reasonOf(der), /not the one that was signed/);
  });
  it('refuses missing, doubled or multi-valued mandatory attributes', () => {
    assert.match(reasonOf(withAttributes([contentTypeAttribute])), /mandatory signed attribute is missing/);
    assert.match(reasonOf(withAttributes([digestAttribute])), /mandatory signed attribute is missing/);
    const [value = nullValue()] = digestAttribute.values;
    assert.match(
      reasonOf(
        withAttributes([contentTypeAttribute, { ...digestAttribute, values: [value, octetString(Buffer.alloc(32))] }]),
      ),
      /not exactly one value/,
    );
    assert.throws(
      () => readSignedData(withAttributes([contentTypeAttribute, digestAttribute, digestAttribute])),
      CmsError,
    );
  });
  it('refuses attributes of the wrong type or for another content', () => {
    assert.match(
      reasonOf(withAttributes([contentTypeAttribute, { ...digestAttribute, values: [nullValue()] }])),
      /messageDigest/,
    );
    assert.match(
      reasonOf(
        withAttributes([
          { ...contentTypeAttribute, values: [objectIdentifier(contentTypes.pkiData)] },
          digestAttribute,
        ]),
      ),
      /content type/,
    );
  });
  it('takes a signature over the content itself, for content of type data only (§5.3)', () => {
    const plain = (contentType: string) =>
      message(
        sequence(
          integer(1),
          sequence(signer.certificate.issuerDer, integer(Buffer.from(signer.certificate.serialNumber, 'hex'))),
          sequence(objectIdentifier(algorithms.sha256)),
          sequence(objectIdentifier(algorithms.ecdsaWithSHA256)),
          octetString(sign('sha256', content, signer.key)),
        ),
        contentType,
      );
    assert.equal(reasonOf(plain(contentTypes.data)), 'ok');
    assert.match(reasonOf(plain(contentTypes.pkiData)), /signed attributes are missing/);
  });
  it('refuses digests that collide', () => {
    const read = readSignedData(createSignedData(base));
    const [info] = read.signers;
    assert.ok(info !== undefined);
    const weak: SignerInfo = { ...info, digestAlgorithm: { oid: algorithms.sha1 } };
    const result = verifySigner(read, weak, signer.certificate.subjectPublicKeyInfo);
    assert.ok(!result.ok && /is not accepted/.test(result.reason));
  });
  it('verifies a signer by a bare key, as CMC needs it for a client without certificate', () => {
    const read = readSignedData(createSignedData({ ...base, certificates: [] }));
    const [info] = read.signers;
    assert.ok(info !== undefined);
    assert.deepEqual(verifySigner(read, info, spkiOf(signer.key)), { ok: true });
    assert.equal(verifySigner(read, info, spkiOf(newKey())).ok, false);
  });
  it('refuses, and does not throw, when a certificate in the message is none', () => {
    const broken = writeContentInfo(
      contentTypes.signedData,
      sequence(
        integer(1),
        setOf([]),
        sequence(objectIdentifier(contentTypes.data)),
        wrap(0xa0, sequence(integer(1))),
        setOf([
          writeSignerInfo({
            identifier: { kind: 'subject-key-identifier', keyIdentifier: Buffer.alloc(20) },
            digestAlgorithm: algorithms.sha256,
            signedAttributesDer: writeAttributes([contentTypeAttribute, digestAttribute]),
            signatureAlgorithm: sequence(objectIdentifier(algorithms.ed25519)),
            signature: Buffer.alloc(64),
          }),
        ]),
      ),
    );
    assert.match(reasonOf(broken), /^certificates: /);
  });
});

describe('foreign signed data', () => {
  it('throws nothing but CmsError, whatever it is', () => {
    const seeds = [
      octets(openssl.signedData, 'base64'),
      createSignedData({ ...base, identifyBy: 'subject-key-identifier' }),
    ];
    assertOnlyThrows((bytes) => verifySignedData(readSignedData(bytes)), [CmsError], foreignBytes(...seeds), 2000);
  });
  it('is refused above a megabyte', () =>
    assert.throws(() => readSignedData(Buffer.alloc(1024 * 1024 + 1, 0x30)), CmsError));
});
