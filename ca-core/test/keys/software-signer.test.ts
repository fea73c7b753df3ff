// The software signer against node:crypto and the identifiers that the RFCs print.
import assert from 'node:assert/strict';
import { createHash, createPublicKey, createSecretKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { describe, it } from 'node:test';
import { readAlgorithmIdentifier, verifySignature } from '@gatehouse/pkix/signature-algorithms';
import { SignerError } from '../../src/keys/signer.ts';
import { generateSoftwareKey, keyAlgorithms } from '../../src/keys/software-key.ts';
import { createSoftwareSigner } from '../../src/keys/software-signer.ts';

const keys = new Map(keyAlgorithms.map((algorithm) => [algorithm, generateSoftwareKey(algorithm)]));

function keyOf(algorithm: (typeof keyAlgorithms)[number]): KeyObject {
  const key = keys.get(algorithm);
  assert.ok(key);
  return key;
}

describe('Signer: software keys', () => {
  for (const algorithm of keyAlgorithms) {
    it(`signs with ${algorithm} and passes its own test`, async () => {
      const signer = createSoftwareSigner(keyOf(algorithm));
      await signer.selfTest();
      assert.ok(signer.sign(Buffer.from('data')) instanceof Uint8Array);
      assert.equal(signer.isSynchronous, true);
    });
  }

  it('names its key by the SHA-256 of the SubjectPublicKeyInfo', () => {
    const key = keyOf('ecdsa-p256');
    const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
    const signer = createSoftwareSigner(key);
    assert.deepEqual(Buffer.from(signer.subjectPublicKeyInfo), spki);
    assert.equal(signer.keyFingerprint, createHash('sha256').update(spki).digest('hex'));
  });

  it('names its algorithm for people', () => {
    const names = keyAlgorithms.map((algorithm) => createSoftwareSigner(keyOf(algorithm)).algorithm);
    assert.deepEqual(names, [
      'ECDSA P-256',
      'ECDSA P-384',
      'ECDSA P-521',
      'RSA 2048',
      'RSA 3072',
      'RSA 4096',
      'Ed25519',
      'ML-DSA-44',
      'ML-DSA-65',
      'ML-DSA-87',
    ]);
    assert.equal(createSoftwareSigner(keyOf('rsa-2048'), { rsaPadding: 'pss' }).algorithm, 'RSA-PSS 2048');
  });

  it('gives ECDSA signatures as DER', () => {
    const key = keyOf('ecdsa-p384');
    const data = Buffer.from('data');
    const signature = createSoftwareSigner(key).sign(data);
    assert.equal(signature[0], 0x30);
    assert.ok(verify('sha384', data, { key: createPublicKey(key), dsaEncoding: 'der' }, signature));
  });

  it('refuses a public key, a secret key and keys that cannot certify', () => {
    assert.throws(() => createSoftwareSigner(createPublicKey(keyOf('ed25519'))), SignerError);
    assert.throws(() => createSoftwareSigner(createSecretKey(Buffer.alloc(32))), SignerError);
    const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey;
    assert.throws(() => createSoftwareSigner(secp256k1), SignerError);
    assert.throws(() => createSoftwareSigner(generateKeyPairSync('x25519').privateKey), SignerError);
    assert.throws(() => createSoftwareSigner(generateKeyPairSync('ed448').privateKey), SignerError);
  });

  it('refuses an RSA key of less than 2048 bits', () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    assert.throws(() => createSoftwareSigner(short), { name: 'SignerError', message: /1024 bits/ });
  });
});

describe('Signer: data that is too large to hold', () => {
  const pieces = [Buffer.from('one'), Buffer.alloc(0), Buffer.alloc(300_000, 7), Buffer.from('last')];

  for (const [algorithm, rsaPadding] of [
    ...keyAlgorithms.map((name) => [name, 'pkcs1'] as const),
    ['rsa-3072', 'pss'] as const,
  ]) {
    it(`signs piece by piece with ${algorithm} ${rsaPadding} what it signs at once`, () => {
      const signer = createSoftwareSigner(keyOf(algorithm), { rsaPadding });
      const signature = signer.openSignature();
      const reused = Buffer.alloc(300_000);
      for (const piece of pieces) {
        const view = reused.subarray(0, piece.copy(reused));
        signature.update(view);
      }
      assert.deepEqual(
        verifySignature({
          algorithm: readAlgorithmIdentifier(signer.signatureAlgorithm),
          spki: signer.subjectPublicKeyInfo,
          data: Buffer.concat(pieces),
          signature: signature.finish(),
        }),
        { ok: true },
      );
    });
  }
});

describe('RFC 5280 §4.1.1.2: the AlgorithmIdentifier comes from the signer', () => {
  const identifierOf = (algorithm: (typeof keyAlgorithms)[number], rsaPadding: 'pkcs1' | 'pss' = 'pkcs1') =>
    Buffer.from(createSoftwareSigner(keyOf(algorithm), { rsaPadding }).signatureAlgorithm).toString('hex');

  it('RFC 5758 §3.2: ECDSA has no parameters', () => {
    assert.equal(identifierOf('ecdsa-p256'), '300a06082a8648ce3d040302');
    assert.equal(identifierOf('ecdsa-p384'), '300a06082a8648ce3d040303');
    assert.equal(identifierOf('ecdsa-p521'), '300a06082a8648ce3d040304');
  });

  it('RFC 4055 §5: PKCS#1 v1.5 has NULL parameters', () => {
    assert.equal(identifierOf('rsa-2048'), '300d06092a864886f70d01010b0500');
    assert.equal(identifierOf('rsa-4096'), '300d06092a864886f70d01010b0500');
  });

  it('Baseline Requirements §7.1.3.2.1: RSASSA-PSS is encoded as printed there', () => {
    assert.equal(
      identifierOf('rsa-3072', 'pss'),
      '304106092a864886f70d01010a3034a00f300d0609608648016503040201' +
        '0500a11c301a06092a864886f70d010108300d0609608648016503040201' +
        '0500a203020120',
    );
  });

  it('RFC 8410 §3 and RFC 9881 §2: Ed25519 and ML-DSA have no parameters', () => {
    assert.equal(identifierOf('ed25519'), '300506032b6570');
    assert.equal(identifierOf('ml-dsa-44'), '300b0609608648016503040311');
    assert.equal(identifierOf('ml-dsa-65'), '300b0609608648016503040312');
    assert.equal(identifierOf('ml-dsa-87'), '300b0609608648016503040313');
  });
});
