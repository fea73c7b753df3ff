import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { readCompactJws, signCompactJws } from '@gatehouse/pkix/jose/compact-jws';
import { JoseError } from '@gatehouse/pkix/jose/error';
import { jwkOfKey, readJwk } from '@gatehouse/pkix/jose/jwk';
import { hmacAlgorithmNames, signatureAlgorithmNames, verifyHmacJws, verifyJws } from '@gatehouse/pkix/jose/signature';
import { hmac, type SignatureVector, signatures } from './vectors.ts';

const pairs = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES512: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  EdDSA: generateKeyPairSync('ed25519'),
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
};

const compactOf = ({ protectedText, payloadText, signatureText }: SignatureVector): string =>
  `${protectedText}.${payloadText}.${signatureText}`;

describe('RFC 7515, RFC 7520, RFC 8037: signatures of the examples', () => {
  for (const vector of signatures) {
    it(`${vector.source}: ${vector.alg} verifies`, () => {
      const jws = readCompactJws(compactOf(vector));
      assert.equal(jws.protectedHeader.alg, vector.alg);
      assert.equal(verifyJws({ ...jws, alg: vector.alg, key: readJwk(vector.jwk) }), true);
    });

    it(`${vector.source}: ${vector.alg} does not verify when a bit of anything is another`, () => {
      const { signingInput, signature } = readCompactJws(compactOf(vector));
      const key = readJwk(vector.jwk);
      for (let i = 0; i < signature.length; i += 7) {
        assert.equal(verifyJws({ alg: vector.alg, key, signingInput, signature: flip(signature, i) }), false);
      }
      for (let i = 0; i < signingInput.length; i += 31) {
        assert.equal(verifyJws({ alg: vector.alg, key, signingInput: flip(signingInput, i), signature }), false);
      }
    });
  }

  it('RFC 7515 A.1: HS256 verifies with its secret and with no other', () => {
    const jws = readCompactJws(hmac.compact);
    const secret = Buffer.from(hmac.k, 'base64url');
    assert.equal(verifyHmacJws({ ...jws, alg: 'HS256', secret }), true);
    assert.equal(verifyHmacJws({ ...jws, alg: 'HS256', secret: flip(secret, 0) }), false);
    assert.equal(verifyHmacJws({ ...jws, alg: 'HS384', secret }), false);
    assert.equal(verifyHmacJws({ ...jws, alg: 'HS256', secret, signature: jws.signature.subarray(1) }), false);
  });
});

describe('RFC 8555 §6.2: algorithms', () => {
  it('lists what is accepted', () => {
    assert.deepEqual(signatureAlgorithmNames, ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'RS256']);
    assert.deepEqual(hmacAlgorithmNames, ['HS256', 'HS384', 'HS512']);
  });

  for (const alg of [
    'none',
    'None',
    'HS256',
    'RS1',
    'RS512',
    'PS256',
    'RSA1_5',
    'ES256K',
    '',
    '__proto__',
    'toString',
  ]) {
    it(`never takes '${alg}' for a signature`, () => {
      const key = jwkOfKey(pairs.ES256.publicKey);
      assert.throws(
        () => verifyJws({ alg, key, signingInput: Buffer.from('a.b'), signature: Buffer.alloc(64) }),
        isBad('bad-algorithm'),
      );
    });
  }

  it('never takes a signature algorithm for a MAC', () => {
    for (const alg of [...signatureAlgorithmNames, 'none', 'HS1']) {
      const secret = Buffer.alloc(32);
      assert.throws(
        () => verifyHmacJws({ alg, secret, signingInput: secret, signature: secret }),
        isBad('bad-algorithm'),
      );
    }
  });

  it('wants the algorithm of the key: the curve too', () => {
    for (const [name, pair] of Object.entries(pairs)) {
      const key = jwkOfKey(pair.publicKey);
      for (const alg of signatureAlgorithmNames) {
        if (alg === name || (name === 'EdDSA' && alg === 'Ed25519')) continue;
        assert.throws(
          () => verifyJws({ alg, key, signingInput: Buffer.alloc(8), signature: Buffer.alloc(64) }),
          isBad('bad-algorithm'),
        );
      }
    }
  });

  it('does not take the DER form of an ECDSA signature', async () => {
    const { sign } = await import('node:crypto');
    const signingInput = Buffer.from('a.b');
    const key = jwkOfKey(pairs.ES256.publicKey);
    const der = sign('sha256', signingInput, pairs.ES256.privateKey);
    assert.equal(verifyJws({ alg: 'ES256', key, signingInput, signature: der }), false);
  });

  it('RFC 9864: takes Ed25519 for EdDSA', () => {
    const jws = readCompactJws(signCompactJws({ header: {}, payload: Buffer.of(1), key: pairs.EdDSA.privateKey }));
    assert.equal(verifyJws({ ...jws, alg: 'Ed25519', key: jwkOfKey(pairs.EdDSA.publicKey) }), true);
  });
});

describe('signing', () => {
  for (const [alg, { privateKey, publicKey }] of Object.entries(pairs)) {
    it(`signs by ${alg} with a key of its kind`, () => {
      const key = jwkOfKey(publicKey);
      const payload = Buffer.from('{"v":1}');
      const jws = readCompactJws(
        signCompactJws({ header: { typ: 'test+jws', kid: key.thumbprint }, payload, key: privateKey }),
      );
      assert.deepEqual(jws.protectedHeader, { alg, typ: 'test+jws', kid: key.thumbprint });
      assert.deepEqual(Buffer.from(jws.payload), payload);
      assert.equal(verifyJws({ ...jws, alg, key }), true);
    });
  }

  it('has no way to say another algorithm than the one it signs by', () => {
    const { privateKey } = pairs.ES256;
    const jws = readCompactJws(signCompactJws({ header: { alg: 'none' }, payload: Buffer.of(1), key: privateKey }));
    assert.equal(jws.protectedHeader.alg, 'ES256');
  });

  it('refuses keys that do not sign here', () => {
    const { privateKey } = generateKeyPairSync('x25519');
    assert.throws(() => signCompactJws({ header: {}, payload: Buffer.of(1), key: privateKey }), isBad('bad-key'));
  });
});

function flip(octets: Uint8Array, index: number): Uint8Array {
  const copy = Uint8Array.from(octets);
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

function isBad(code: JoseError['code']) {
  return (error: unknown) => error instanceof JoseError && error.code === code;
}
