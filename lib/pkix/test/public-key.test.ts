import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { bitString, integer, nullValue, objectIdentifier, sequence } from '../src/der/writer.ts';
import { algorithms } from '../src/object-identifiers.ts';
import { describePublicKey, PublicKeyError, publicKeyFingerprint } from '../src/public-key.ts';
import { spkiOf } from './support/certificates.ts';
import { assertOnlyThrows, foreignBytes } from './support/foreign-bytes.ts';

const spki = (oid: string, parameters: readonly Uint8Array[], key: Uint8Array) =>
  sequence(sequence(objectIdentifier(oid), ...parameters), bitString(key));
const refuses = (bytes: Uint8Array, detail: RegExp) =>
  assert.throws(
    () => describePublicKey(bytes),
    (error) => error instanceof PublicKeyError && error.code === 'malformed' && detail.test(error.detail),
  );
const rsaKey = (modulus: bigint, exponent: bigint) =>
  spki(algorithms.rsaEncryption, [nullValue()], sequence(integer(modulus), integer(exponent)));

describe('RFC 5480 §2: elliptic curve keys', () => {
  for (const [namedCurve, octets] of [
    ['P-256', 32],
    ['P-384', 48],
    ['P-521', 66],
  ] as const) {
    it(`tells ${namedCurve} and gives the point`, () => {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve });
      const key = describePublicKey(spkiOf(publicKey));
      assert.ok(key.kind === 'ec' && key.curve === namedCurve && key.point.length === 1 + 2 * octets);
      assert.equal(
        Buffer.from(key.point.subarray(1, 1 + octets)).toString('base64url'),
        publicKey.export({ format: 'jwk' }).x,
      );
    });
  }
  it('takes compressed points', () => {
    const key = describePublicKey(
      spki(
        algorithms.ecPublicKey,
        [objectIdentifier(algorithms.secp256r1)],
        Buffer.concat([Buffer.from([2]), Buffer.alloc(32, 1)]),
      ),
    );
    assert.ok(key.kind === 'ec' && key.point.length === 33);
  });
  it('refuses points of another length or form', () => {
    for (const point of [
      Buffer.alloc(0),
      Buffer.from([0]),
      Buffer.concat([Buffer.from([4]), Buffer.alloc(63)]),
      Buffer.concat([Buffer.from([6]), Buffer.alloc(64)]),
    ]) {
      refuses(spki(algorithms.ecPublicKey, [objectIdentifier(algorithms.secp256r1)], point), /not a point of P-256/);
    }
  });
  it('refuses a missing curve, and calls others unsupported', () => {
    refuses(spki(algorithms.ecPublicKey, [], Buffer.alloc(65, 4)), /curve is missing/);
    const other = createPublicKey(
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'pem', type: 'spki' }),
    );
    assert.deepEqual(describePublicKey(spkiOf(other)), {
      kind: 'unsupported',
      algorithm: algorithms.ecPublicKey,
      detail: 'curve 1.3.132.0.10 is not supported',
    });
    assert.equal(
      describePublicKey(spki(algorithms.ecPublicKey, [sequence(integer(1))], Buffer.alloc(65, 4))).kind,
      'unsupported',
    );
  });
});

describe('RFC 3279 §2.3.1: RSA keys', () => {
  it('gives modulus, exponent and bits', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = describePublicKey(spkiOf(publicKey));
    assert.ok(key.kind === 'rsa' && key.bits === 2048 && key.exponent === 65537n && key.modulus.length === 256);
    assert.equal(Buffer.from(key.modulus).toString('base64url'), publicKey.export({ format: 'jwk' }).n);
  });
  it('counts the bits of any modulus', () => {
    for (const bits of [1, 7, 8, 9, 1023, 1024, 1025, 2047]) {
      const key = describePublicKey(rsaKey(1n << BigInt(bits - 1), 3n));
      assert.ok(key.kind === 'rsa' && key.bits === bits && key.exponent === 3n, String(bits));
    }
    const key = describePublicKey(rsaKey(0n, 2n ** 100n));
    assert.ok(key.kind === 'rsa' && key.bits === 0 && key.exponent === 2n ** 100n);
  });
  it('refuses negative numbers, parameters that are not NULL, and trailing octets', () => {
    refuses(rsaKey(-5n, 3n), /negative/);
    refuses(rsaKey(5n, -3n), /negative/);
    const numbers = sequence(integer(5n), integer(3n));
    refuses(spki(algorithms.rsaEncryption, [], numbers), /not NULL/);
    refuses(spki(algorithms.rsaEncryption, [sequence()], numbers), /not NULL/);
    refuses(spki(algorithms.rsaEncryption, [nullValue()], sequence(integer(5n), integer(3n), integer(1n))), /too many/);
    refuses(spki(algorithms.rsaEncryption, [nullValue()], Buffer.concat([numbers, nullValue()])), /too many/);
  });
});

describe('RFC 8410 §3 and RFC 9881 §2: Ed25519 and ML-DSA keys', () => {
  it('tells Ed25519', () => {
    const key = describePublicKey(spkiOf(generateKeyPairSync('ed25519').publicKey));
    assert.ok(key.kind === 'ed25519' && key.key.length === 32);
  });
  for (const [type, parameterSet, octets] of [
    ['ml-dsa-44', 'ML-DSA-44', 1312],
    ['ml-dsa-65', 'ML-DSA-65', 1952],
    ['ml-dsa-87', 'ML-DSA-87', 2592],
  ] as const) {
    it(`tells ${parameterSet}`, () => {
      const key = describePublicKey(spkiOf(generateKeyPairSync(type).publicKey));
      assert.ok(key.kind === 'ml-dsa' && key.parameterSet === parameterSet && key.key.length === octets);
    });
  }
  it('refuses parameters, and keys of another length', () => {
    refuses(spki(algorithms.ed25519, [nullValue()], Buffer.alloc(32)), /has parameters/);
    refuses(spki(algorithms.ed25519, [], Buffer.alloc(31)), /31 octets where there must be 32/);
    refuses(spki(algorithms.mlDsa44, [], Buffer.alloc(1952)), /1952 octets where there must be 1312/);
  });
});

describe('other public keys', () => {
  it('are unsupported, by their algorithm', () => {
    assert.deepEqual(describePublicKey(spkiOf(generateKeyPairSync('x25519').publicKey)), {
      kind: 'unsupported',
      algorithm: algorithms.x25519,
      detail: 'keys of algorithm 1.3.101.110 are not supported',
    });
  });
  it('are refused when they do not fill their last octet', () => {
    refuses(sequence(sequence(objectIdentifier(algorithms.ed25519)), bitString(Buffer.alloc(32), 1)), /last octet/);
  });
  it('have the SHA-256 of the whole SubjectPublicKeyInfo as fingerprint', () => {
    assert.deepEqual(publicKeyFingerprint(Buffer.from('x')), createHash('sha256').update('x').digest());
  });
  it('throw nothing but PublicKeyError, whatever they are', () => {
    const seeds = [
      generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      generateKeyPairSync('rsa', { modulusLength: 1024 }),
      generateKeyPairSync('ed25519'),
    ];
    assertOnlyThrows(
      describePublicKey,
      [PublicKeyError],
      foreignBytes(...seeds.map(({ publicKey }) => spkiOf(publicKey))),
    );
  });
});
