import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { JoseError } from '@gatehouse/pkix/jose/error';
import { readJwk } from '@gatehouse/pkix/jose/jwk';
import { describePublicKey } from '@gatehouse/pkix/public-key';
import { hasCloseFactors, squareRoot } from '@gatehouse/pkix/weak-keys/fermat';
import { hasRocaFingerprint } from '@gatehouse/pkix/weak-keys/roca';
import { judgeRsaFactors, judgeRsaNumbers } from '@gatehouse/pkix/weak-keys/rsa';
import { findSmallFactor, primesBelow } from '@gatehouse/pkix/weak-keys/small-factors';
import fc from 'fast-check';
import { oddNumber, prime, primeAfter, rocaPrime } from '../../test-support/rsa-keys.ts';

const half = prime(1024);

describe('BR §6.1.1.3, §6.1.5, §6.1.6: RSA keys that nobody may use', () => {
  const weak: Readonly<Record<string, readonly [modulus: bigint, why: RegExp]>> = {
    'a small factor': [((1n << 2046n) + 1n) * 3n, /divisible by 3/],
    ROCA: [rocaPrime() * rocaPrime(), /ROCA/],
    'close primes': [half * primeAfter(half), /so close/],
  };
  for (const [what, [modulus, why]] of Object.entries(weak)) {
    it(`are told by what is wrong with them, as JWK too: ${what}`, () => {
      assert.match(judgeRsaFactors(modulus) ?? '', why);
      const n = Buffer.from(modulus.toString(16), 'hex').toString('base64url');
      assert.throws(
        () => readJwk({ kty: 'RSA', n, e: 'AQAB' }),
        (error) => error instanceof JoseError && error.code === 'bad-key' && why.test(error.detail),
      );
    });
  }

  it('are not what a sound generator makes', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = describePublicKey(publicKey.export({ type: 'spki', format: 'der' }));
    assert.ok(key.kind === 'rsa');
    assert.equal(judgeRsaNumbers(key), undefined);
    assert.equal(judgeRsaFactors(BigInt(`0x${Buffer.from(key.modulus).toString('hex')}`)), undefined);
  });
});

describe('SP 800-89 §5.3.3: small factors', () => {
  it('finds the smallest prime factor of any number', () => {
    const primes = primesBelow(10_000);
    fc.assert(
      fc.property(fc.bigInt({ min: 2n, max: 1n << 200n }), (value) => {
        assert.equal(
          findSmallFactor(value),
          primes.find((each) => value % BigInt(each) === 0n),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('knows the 1229 primes below 10,000', () => {
    assert.equal(primesBelow(10_000).length, 1229);
    assert.deepEqual(primesBelow(30), [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
  });
});

describe('CVE-2017-15361 (ROCA): primes that are powers of 65537 in disguise', () => {
  it('accepts a key of which only one prime is of that form', () => {
    assert.equal(hasRocaFingerprint(rocaPrime() * half), false);
  });

  it('sees a power of 65537 modulo the primes up to 167, whatever is added', () => {
    const product = primesBelow(168).reduce((result, each) => result * BigInt(each), 1n);
    fc.assert(
      fc.property(fc.nat(5000), fc.bigInt({ min: 0n, max: 1n << 64n }), (exponent, multiple) => {
        const power = 65_537n ** BigInt(exponent) % product;
        assert.equal(hasRocaFingerprint(power + multiple * product), true);
      }),
      { numRuns: 50 },
    );
  });

  it('demands one logarithm for all primes together', () => {
    // Modulo 3 an even power, modulo 5 an odd one, 1 modulo all others: a power for each prime, but none for all.
    const rest = primesBelow(168)
      .filter((each) => each > 5)
      .reduce((result, each) => result * BigInt(each), 1n);
    let candidate = 1n;
    while (candidate % 2n !== 1n || candidate % 3n !== 1n || candidate % 5n !== 2n) candidate += rest;
    assert.equal(hasRocaFingerprint(candidate), false);
  });
});

describe('CVE-2022-26320 (Fermat): primes that lie close together', () => {
  it('searches 100 rounds: the difference that takes 90 is found, the one that takes 110 is not', () => {
    const root = oddNumber(1024);
    for (const [round, isFound] of [
      [90n, true],
      [110n, false],
    ] as const) {
      // n = a² - b² with a = ⌈√n⌉ + round - 1 needs b² ≈ 2·root·round.
      const a = root + round;
      const b = squareRoot(2n * root * round);
      assert.equal(hasCloseFactors((a - b) * (a + b)), isFound);
    }
  });

  it('takes the integer square root of any number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 1n << 5000n }), (value) => {
        const root = squareRoot(value);
        assert.ok(root * root <= value && (root + 1n) * (root + 1n) > value);
      }),
      { numRuns: 300 },
    );
    for (const value of [0n, 1n, 2n, 3n, 4n, (1n << 104n) - 1n, 1n << 104n, (1n << 2048n) - 1n]) {
      const root = squareRoot(value);
      assert.ok(root * root <= value && (root + 1n) * (root + 1n) > value, String(value));
    }
  });
});
