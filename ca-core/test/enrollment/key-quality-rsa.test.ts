import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { describePublicKey } from '@gatehouse/pkix/public-key';
import { oddNumber, prime, primeAfter, rocaPrime, rsaKey } from '@gatehouse/pkix/test-support/rsa-keys';
import { checkKeyQuality } from '../../src/enrollment/key-quality.ts';
import type { KeyRule } from '../../src/profiles/profile.ts';
import { badKey } from './expect.ts';

const rules: readonly KeyRule[] = [{ kind: 'rsa', minimumBits: 2048, maximumBits: 4096 }];
const half = prime(1024);
const modulus = half * prime(1024);

describe('BR §6.1.5: size of the RSA modulus', () => {
  it('accepts what a sound generator makes', () => {
    for (const modulusLength of [2048, 3072]) {
      const { publicKey } = generateKeyPairSync('rsa', { modulusLength });
      checkKeyQuality(describePublicKey(publicKey.export({ type: 'spki', format: 'der' })), rules);
    }
  });

  it('refuses a modulus below the minimum of the profile and says the bounds', () => {
    assert.throws(() => checkKeyQuality(rsaKey(oddNumber(1024)), rules), badKey(/1024 bits; accepted: 2048 to 4096/));
    assert.throws(() => checkKeyQuality(rsaKey(oddNumber(2040)), rules), badKey(/2040 bits/));
  });

  it('refuses a modulus above the maximum before it computes with it', () => {
    assert.throws(() => checkKeyQuality(rsaKey(oddNumber(8192)), rules), badKey(/8192 bits/));
  });

  it('refuses a modulus whose length is no multiple of 8 bits', () => {
    assert.throws(() => checkKeyQuality(rsaKey((1n << 2049n) + 1n), rules), badKey(/2050 bits, not a multiple of 8/));
  });

  it('refuses RSA where the profile has no rule for it, and names what is accepted', () => {
    const others: readonly KeyRule[] = [{ kind: 'ec', curves: ['P-256', 'P-384'] }, { kind: 'ed25519' }];
    assert.throws(() => checkKeyQuality(rsaKey(modulus), others), badKey(/accepted: EC P-256 or P-384, Ed25519/));
  });
});

describe('BR §6.1.6: RSA parameters', () => {
  it('refuses an even modulus', () => {
    assert.throws(() => checkKeyQuality(rsaKey(modulus + 1n), rules), badKey(/modulus is even/));
  });

  for (const [exponent, why] of [
    [1n, /less than 65537/],
    [3n, /less than 65537/],
    [65_535n, /less than 65537/],
    [65_538n, /exponent is even/],
    [(1n << 256n) + 1n, /2\^256 or more/],
  ] as const) {
    it(`refuses the public exponent ${exponent}`, () => {
      assert.throws(() => checkKeyQuality(rsaKey(modulus, exponent), rules), badKey(why));
    });
  }

  it('accepts the greatest public exponent', () => {
    checkKeyQuality(rsaKey(modulus, (1n << 256n) - 1n), rules);
  });
});

describe('SP 800-89 §5.3.3: small factors', () => {
  it('refuses a modulus with a small prime factor and names it', () => {
    for (const factor of [3n, 751n, 9973n]) {
      // The other factor is odd and makes the product 2048 bits long.
      const cofactor = (3n << 2046n) / factor;
      const product = (cofactor % 2n === 0n ? cofactor + 1n : cofactor) * factor;
      assert.throws(() => checkKeyQuality(rsaKey(product), rules), badKey(/modulus is divisible by [0-9]+$/));
    }
  });
});

describe('CVE-2017-15361 (ROCA): primes that are powers of 65537 in disguise', () => {
  it('refuses a key whose primes the broken generator made', () => {
    const weak = rocaPrime() * rocaPrime();
    assert.throws(() => checkKeyQuality(rsaKey(weak), rules), badKey(/ROCA/));
  });
});

describe('CVE-2022-26320 (Fermat): primes that lie close together', () => {
  it('refuses a modulus of two neighbouring primes', () => {
    assert.throws(() => checkKeyQuality(rsaKey(half * primeAfter(half)), rules), badKey(/primes .* so close/));
  });

  it('refuses the square of a prime', () => {
    assert.throws(() => checkKeyQuality(rsaKey(half * half), rules), badKey(/so close/));
  });
});
