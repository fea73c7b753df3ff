import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOcspRequestType } from '../src/media-type.ts';

describe('RFC 6960 appendix A.1: Content-Type of a request', () => {
  for (const [field, expected] of [
    [undefined, true],
    ['application/ocsp-request', true],
    ['Application/OCSP-Request; charset=utf-8', true],
    [' application/ocsp-request ', true],
    ['application/ocsp-response', false],
    ['application/ocsp-requests', false],
    ['text/plain; application/ocsp-request', false],
    ['application/x-www-form-urlencoded', false],
    ['', false],
  ] as const) {
    it(`${field} ${expected ? 'is' : 'is not'} one`, () => {
      assert.equal(isOcspRequestType(field), expected);
    });
  }
});
