import assert from 'node:assert/strict';
import { generateKeyPairSync, generatePrimeSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { JoseError, type JoseErrorCode } from '@gatehouse/pkix/jose/error';
import { jwkOfKey, jwkThumbprint, readJwk } from '@gatehouse/pkix/jose/jwk';
import fc from 'fast-check';
import { signatures, thumbprints } from './vectors.ts';

const ec = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};
const okp = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
const rsa = { kty: 'RSA', n: signatures[0]?.jwk.n ?? '', e: 'AQAB' };

describe('RFC 7638, RFC 8037: thumbprints of the examples', () => {
  for (const { source, jwk, thumbprint } of thumbprints) {
    it(source, () => {
      const key = readJwk(jwk);
      assert.equal(key.thumbprint, thumbprint);
      assert.equal(jwkThumbprint(key.jwk), thumbprint);
    });
  }
});

describe('RFC 7517, RFC 7518 §6: public keys', () => {
  it('are read with what they need and nothing else', () => {
    const key = readJwk({ ...ec, kid: 'x', use: 'sig', key_ops: ['verify'], 'x5t#S256': 'y' });
    assert.deepEqual(key.jwk, ec);
    assert.equal(key.kind, 'P-256');
    assert.equal(key.key.asymmetricKeyType, 'ec');
    assert.equal(readJwk(okp).kind, 'Ed25519');
    assert.equal(readJwk(rsa).kind, 'RSA');
  });

  it('come from keys and from SubjectPublicKeyInfo alike', () => {
    for (const { privateKey, publicKey } of [
      generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      generateKeyPairSync('ec', { namedCurve: 'P-384' }),
      generateKeyPairSync('ec', { namedCurve: 'P-521' }),
      generateKeyPairSync('ed25519'),
      generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ]) {
      const { thumbprint } = jwkOfKey(publicKey);
      assert.equal(jwkOfKey(privateKey).thumbprint, thumbprint);
      assert.equal(jwkOfKey(publicKey.export({ format: 'der', type: 'spki' })).thumbprint, thumbprint);
      assert.equal(readJwk(publicKey.export({ format: 'jwk' })).thumbprint, thumbprint);
    }
  });

  for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) {
    it(`are refused with the private member '${name}', and its value is not repeated`, () => {
      assert.throws(
        () => readJwk({ ...rsa, [name]: 'c2VjcmV0' }),
        (error) => {
          assert.ok(error instanceof JoseError);
          assert.equal(error.code, 'private-key');
          return !error.message.includes('c2VjcmV0');
        },
      );
    });
  }

  const malformed: Record<string, unknown> = {
    'no object': 'key',
    nothing: null,
    'a list': [ec],
    'no type': { crv: 'P-256' },
    'a coordinate that is missing': { ...ec, y: undefined },
    'a coordinate that is short': { ...ec, x: ec.x.slice(4) },
    'a coordinate that is long': { ...ec, x: `AAAA${ec.x}` },
    'a coordinate with padding': { ...ec, x: `${ec.x}=` },
    'a modulus with leading zeros': {
      ...rsa,
      n: Buffer.concat([Buffer.of(0), Buffer.from(rsa.n, 'base64url')]).toString('base64url'),
    },
    'an exponent with leading zeros': { ...rsa, e: 'AAEAAQ' },
    'an exponent that is empty': { ...rsa, e: '' },
    'an exponent that is a number': { ...rsa, e: 65537 },
  };
  for (const [what, value] of Object.entries(malformed)) {
    it(`are malformed: ${what}`, () => assert.throws(() => readJwk(value), hasCode('malformed')));
  }

  const [one, two] = [Buffer.of(1).toString('base64url'), Buffer.of(3).toString('base64url')];
  const bad: Record<string, unknown> = {
    'a symmetric type': { kty: 'oct' },
    'a curve that is not accepted': { ...ec, crv: 'secp256k1' },
    'X25519, which does not sign': { ...okp, crv: 'X25519' },
    Ed448: { ...okp, crv: 'Ed448' },
    'a point off its curve': { ...ec, y: ec.x },
    'the point of another curve': { ...ec, crv: 'P-256', x: Buffer.alloc(32, 0xff).toString('base64url') },
    'the zero point': { ...ec, x: Buffer.alloc(32).toString('base64url'), y: Buffer.alloc(32).toString('base64url') },
    'an Ed25519 point of small order': { ...okp, x: Buffer.of(1, ...Buffer.alloc(31)).toString('base64url') },
    'an Ed25519 key that is no point': { ...okp, x: Buffer.of(2, ...Buffer.alloc(31)).toString('base64url') },
    'RSA of 1024 bits': { ...rsa, n: Buffer.alloc(128, 0xff).toString('base64url') },
    'RSA of 16384 bits': { ...rsa, n: Buffer.alloc(2048, 0xff).toString('base64url') },
    'RSA of 2052 bits': { ...rsa, n: Buffer.of(0x0f, ...Buffer.alloc(256, 0xfd)).toString('base64url') },
    'RSA with an even modulus': { ...rsa, n: Buffer.alloc(256, 0xfe).toString('base64url') },
    'RSA with the exponent 1': { ...rsa, e: one },
    'RSA with the exponent 3': { ...rsa, e: two },
    'RSA with an even exponent': { ...rsa, e: 'AQAA' },
    'RSA with an exponent of 33 octets': { ...rsa, e: Buffer.alloc(33, 0xff).toString('base64url') },
    'RSA whose modulus has a small factor': { ...rsa, n: Buffer.alloc(256, 0xff).toString('base64url') },
    'RSA whose primes are close': { ...rsa, n: closeModulus() },
  };
  for (const [what, value] of Object.entries(bad)) {
    it(`are bad: ${what}`, () => assert.throws(() => readJwk(value), hasCode('bad-key')));
  }

  it('never fail with anything but JoseError', () => {
    const member = fc.oneof(
      fc.string(),
      fc.uint8Array({ maxLength: 300 }).map((octets) => Buffer.from(octets).toString('base64url')),
      fc.jsonValue(),
    );
    const keys = fc.record(
      {
        kty: fc.constantFrom('EC', 'RSA', 'OKP', 'oct', '__proto__'),
        crv: fc.oneof(fc.constantFrom('P-256', 'P-384', 'P-521', 'Ed25519'), member),
        x: fc.oneof(
          fc.uint8Array({ minLength: 32, maxLength: 32 }).map((octets) => Buffer.from(octets).toString('base64url')),
          member,
        ),
        y: fc.oneof(
          fc.uint8Array({ minLength: 32, maxLength: 32 }).map((octets) => Buffer.from(octets).toString('base64url')),
          member,
        ),
        n: fc.oneof(
          fc.uint8Array({ minLength: 256, maxLength: 256 }).map((octets) => Buffer.from(octets).toString('base64url')),
          member,
        ),
        e: fc.oneof(fc.constant('AQAB'), member),
      },
      { requiredKeys: ['kty'] },
    );
    fc.assert(fc.property(fc.oneof(keys, fc.jsonValue()), onlyJoseErrors), { numRuns: 500 });
  });
});

/** The product of two neighbouring primes of 1024 bits. */
function closeModulus(): string {
  const first = generatePrimeSync(1024, { bigint: true });
  let second = first + 2n;
  // Neighbours need not be prime for Fermat's method to find them; the check for small factors comes first, though.
  while ([3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n].some((prime) => second % prime === 0n)) second += 2n;
  return Buffer.from((first * second).toString(16).padStart(512, '0'), 'hex').toString('base64url');
}

function hasCode(code: JoseErrorCode) {
  return (error: unknown) => error instanceof JoseError && error.code === code && error.detail !== '';
}

function onlyJoseErrors(value: unknown): void {
  try {
    readJwk(value);
  } catch (error) {
    if (!(error instanceof JoseError)) throw error;
  }
}
