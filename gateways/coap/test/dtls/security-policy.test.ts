// What OpenSSL's security callback is answered, coaps.md §8.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dtls12, isAllowed } from '../../src/dtls/security-policy.ts';

const ccm8 = 0x0300c0ae;
const otherCipher = 0x0300c0ac;

function neverAsked(): number {
  throw new Error('it is not about a suite');
}

describe('RFC 9148 §3: what is strong enough', () => {
  it('is CCM_8 of all suites with less than 112 bits', () => {
    for (const operation of [0x10001, 0x10002, 0x10003]) {
      assert.ok(isAllowed(operation, 64, 0, () => ccm8));
      assert.ok(!isAllowed(operation, 64, 0, () => otherCipher));
      assert.ok(isAllowed(operation, 128, 0, () => otherCipher));
    }
  });

  it('is DTLS 1.2 alone', () => {
    assert.ok(isAllowed(9, 0, dtls12, neverAsked));
    for (const version of [0xfeff, 0x0303, 0x0304]) assert.ok(!isAllowed(9, 256, version, neverAsked));
  });

  it('is neither a ticket nor compression', () => {
    assert.ok(!isAllowed(10, 256, 0, neverAsked));
    assert.ok(!isAllowed(15, 256, 0, neverAsked));
  });

  it('is everything else of at least 112 bits: keys, curves, signatures, digests', () => {
    // SSL_SECOP_EE_KEY, SSL_SECOP_CURVE_SUPPORTED, SSL_SECOP_SIGALG_CHECK.
    for (const operation of [0x60010, 0x20004, 0x5000d]) {
      assert.ok(isAllowed(operation, 112, 0, neverAsked));
      assert.ok(!isAllowed(operation, 111, 0, neverAsked));
    }
  });
});
