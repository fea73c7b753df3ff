import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DerError } from '../src/der/reader.ts';
import { explicit, integer, nullValue, objectIdentifier, sequence } from '../src/der/writer.ts';
import { algorithms } from '../src/object-identifiers.ts';
import { PublicKeyError } from '../src/public-key.ts';
import {
  areAlgorithmIdentifiersEqual,
  readAlgorithmIdentifier,
  rsassaPssIdentifier,
  signatureAlgorithmFor,
  verifySignature,
  verifySignatureAsync,
  writeAlgorithmIdentifier,
} from '../src/signature-algorithms.ts';
import { spkiOf } from './support/certificates.ts';
import { assertOnlyThrows, foreignBytes } from './support/foreign-bytes.ts';

const data = Buffer.from('what is signed');
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const mlDsa44 = generateKeyPairSync('ml-dsa-44').privateKey;
const keys: readonly (readonly [string, KeyObject, Parameters<typeof signatureAlgorithmFor>[1]?])[] = [
  ['ECDSA P-256', p256],
  ['ECDSA P-256 with SHA-512', p256, { digest: 'sha512' }],
  ['ECDSA P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
  ['ECDSA P-521', generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey],
  ['RSASSA-PKCS1-v1_5', rsa],
  ['RSASSA-PSS', rsa, { rsaPadding: 'pss' }],
  ['RSASSA-PSS with SHA-384', rsa, { rsaPadding: 'pss', digest: 'sha384' }],
  ['Ed25519', generateKeyPairSync('ed25519').privateKey],
  ['ML-DSA-44', mlDsa44],
  ['ML-DSA-65', generateKeyPairSync('ml-dsa-65').privateKey],
  ['ML-DSA-87', generateKeyPairSync('ml-dsa-87').privateKey],
];

function refuses(
  key: KeyObject,
  algorithm: { oid: string; parameters?: Uint8Array },
  signature: Uint8Array,
  reason: RegExp,
): void {
  const result = verifySignature({ algorithm, spki: spkiOf(key), data, signature });
  assert.ok(!result.ok && reason.test(result.reason), JSON.stringify(result));
}

describe('RFC 4055, 5758, 8410, 9881: signatures', () => {
  for (const [name, key, options] of keys) {
    it(`by ${name} verify, and no other data does`, async () => {
      const { identifier, sign: signData } = signatureAlgorithmFor(key, options);
      const request = {
        algorithm: readAlgorithmIdentifier(identifier),
        spki: spkiOf(key),
        data,
        signature: signData(data),
      };
      assert.deepEqual(verifySignature(request), { ok: true });
      assert.deepEqual(await verifySignatureAsync(request), { ok: true });
      const other = { ...request, data: Buffer.from('something else') };
      assert.deepEqual(verifySignature(other), { ok: false, reason: 'the signature does not verify' });
      assert.deepEqual(await verifySignatureAsync(other), { ok: false, reason: 'the signature does not verify' });
    });
  }
  it('may be absent of parameters for RSASSA-PKCS1-v1_5 when they are verified (RFC 4055 §5)', () => {
    const signature = sign('sha256', data, rsa);
    assert.ok(
      verifySignature({ algorithm: { oid: algorithms.sha256WithRSAEncryption }, spki: spkiOf(rsa), data, signature })
        .ok,
    );
  });
  it('are refused with parameters that the algorithm has not', () => {
    refuses(
      p256,
      { oid: algorithms.ecdsaWithSHA256, parameters: nullValue() },
      sign('sha256', data, p256),
      /has parameters/,
    );
    refuses(
      rsa,
      { oid: algorithms.sha256WithRSAEncryption, parameters: sequence() },
      sign('sha256', data, rsa),
      /has parameters/,
    );
    refuses(mlDsa44, { oid: algorithms.mlDsa44, parameters: nullValue() }, sign(null, data, mlDsa44), /has parameters/);
  });
  it('are refused when the algorithm does not fit the key', () => {
    for (const oid of [algorithms.sha256WithRSAEncryption, algorithms.ed25519, algorithms.mlDsa44]) {
      refuses(p256, { oid }, sign('sha256', data, p256), /does not fit/);
    }
    refuses(mlDsa44, { oid: algorithms.mlDsa65 }, sign(null, data, mlDsa44), /does not fit/);
    refuses(rsa, { oid: algorithms.ecdsaWithSHA256 }, sign('sha256', data, rsa), /does not fit/);
    refuses(p256, readAlgorithmIdentifier(rsassaPssIdentifier('sha256')), sign('sha256', data, p256), /does not fit/);
  });
  it('are refused with MD5 and SHA-1 even when they are right', () => {
    refuses(
      rsa,
      { oid: algorithms.sha1WithRSAEncryption, parameters: nullValue() },
      sign('sha1', data, rsa),
      /SHA-1 are not accepted/,
    );
    refuses(
      rsa,
      { oid: algorithms.md5WithRSAEncryption, parameters: nullValue() },
      sign('md5', data, rsa),
      /MD5 are not accepted/,
    );
    refuses(p256, { oid: algorithms.ecdsaWithSHA1 }, sign('sha1', data, p256), /SHA-1 are not accepted/);
  });
  it('are refused with an unknown algorithm', () =>
    refuses(p256, { oid: '1.2.3.4' }, data, /1\.2\.3\.4 is not supported/));
  it('are refused, and do not throw, with a key that is none', async () => {
    const spki = Buffer.from(spkiOf(p256));
    spki.fill(0xff, spki.length - 64);
    const request = {
      algorithm: { oid: algorithms.ecdsaWithSHA256 },
      spki,
      data,
      signature: sign('sha256', data, p256),
    };
    assert.deepEqual(verifySignature(request), { ok: false, reason: 'the key or the signature is not usable' });
    assert.deepEqual(await verifySignatureAsync(request), {
      ok: false,
      reason: 'the key or the signature is not usable',
    });
    assert.ok(!verifySignature({ ...request, spki: Buffer.from('x') }).ok);
  });
  it('are refused, and do not throw, whatever their octets are', () => {
    const spki = spkiOf(p256);
    fc.assert(
      fc.property(foreignBytes(sign('sha256', data, p256)), (signature) => {
        assert.ok(!verifySignature({ algorithm: { oid: algorithms.ecdsaWithSHA384 }, spki, data, signature }).ok);
      }),
      { numRuns: 300 },
    );
  });
});

describe('RFC 4055 §3.1: RSASSA-PSS parameters', () => {
  const sha256 = sequence(objectIdentifier(algorithms.sha256), nullValue());
  const sha512 = sequence(objectIdentifier(algorithms.sha512), nullValue());
  const mgf = (digest: Uint8Array) => sequence(objectIdentifier(algorithms.mgf1), digest);
  const pss = (saltLength: number) =>
    sign('sha256', data, { key: rsa, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
  const verify = (parameters: Uint8Array | undefined, signature: Uint8Array) =>
    verifySignature({
      algorithm: parameters === undefined ? { oid: algorithms.rsassaPss } : { oid: algorithms.rsassaPss, parameters },
      spki: spkiOf(rsa),
      data,
      signature,
    });
  it('bind the salt length, which is 20 by default', () => {
    assert.ok(verify(sequence(explicit(0, sha256), explicit(1, mgf(sha256)), explicit(2, integer(32))), pss(32)).ok);
    assert.ok(verify(sequence(explicit(0, sha256), explicit(1, mgf(sha256))), pss(20)).ok);
    assert.ok(!verify(sequence(explicit(0, sha256), explicit(1, mgf(sha256))), pss(32)).ok);
  });
  it('may leave out the NULL of the digest', () => {
    const plain = sequence(objectIdentifier(algorithms.sha256));
    assert.ok(verify(sequence(explicit(0, plain), explicit(1, mgf(plain)), explicit(2, integer(32))), pss(32)).ok);
  });
  it('are refused when they mean SHA-1', () => {
    for (const parameters of [undefined, sequence(), sequence(explicit(0, sha256)), sequence(explicit(1, mgf(sha256)))])
      assert.ok(!verify(parameters, pss(20)).ok);
  });
  it('are refused with two digests, strange salts or trailers, and trailing fields', () => {
    const [digest, mask] = [explicit(0, sha256), explicit(1, mgf(sha256))];
    for (const parameters of [
      sequence(digest, explicit(1, mgf(sha512)), explicit(2, integer(32))),
      sequence(digest, mask, explicit(2, integer(-1))),
      sequence(digest, mask, explicit(2, integer(100000))),
      sequence(digest, mask, explicit(2, integer(32)), explicit(3, integer(2))),
      sequence(digest, mask, explicit(2, integer(32)), explicit(4, integer(1))),
      nullValue(),
      Buffer.from('x'),
    ]) {
      assert.ok(!verify(parameters, pss(32)).ok);
    }
  });
  it('are read without a crash, whatever they are', () => {
    const seed = sequence(explicit(0, sha256), explicit(1, mgf(sha256)), explicit(2, integer(32)));
    const signature = pss(32);
    fc.assert(
      fc.property(foreignBytes(seed), (parameters) => void verify(parameters, signature)),
      { numRuns: 600 },
    );
  });
});

describe('RFC 5280 §4.1.1.2: AlgorithmIdentifier', () => {
  it('is read back as it was written', () => {
    for (const algorithm of [{ oid: '1.2.3' }, { oid: '1.2.3', parameters: nullValue() }]) {
      assert.ok(areAlgorithmIdentifiersEqual(readAlgorithmIdentifier(writeAlgorithmIdentifier(algorithm)), algorithm));
    }
  });
  it('is another one with other parameters', () => {
    assert.ok(!areAlgorithmIdentifiersEqual({ oid: '1.2.3' }, { oid: '1.2.3', parameters: nullValue() }));
    assert.ok(!areAlgorithmIdentifiersEqual({ oid: '1.2.3' }, { oid: '1.2.4' }));
    assert.ok(
      !areAlgorithmIdentifiersEqual(
        { oid: '1.2.3', parameters: sequence() },
        { oid: '1.2.3', parameters: nullValue() },
      ),
    );
  });
  it('throws nothing but DerError for foreign bytes', () => {
    assertOnlyThrows(readAlgorithmIdentifier, [DerError], foreignBytes(rsassaPssIdentifier('sha256')));
  });
  it('cannot be had for keys that do not sign', () => {
    assert.throws(() => signatureAlgorithmFor(generateKeyPairSync('x25519').privateKey), PublicKeyError);
  });
});
