import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import { newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { CoreError, coreErrorTypes } from '@gatehouse/ra-client/core-error';
import fc from 'fast-check';
import { answerCoreError, answerEstError } from '../src/errors.ts';
import { writeKeyAndCertificate } from '../src/multipart.ts';
import { readRequestBody } from '../src/translate.ts';

describe('refusals of the keep', () => {
  const expected: Readonly<Record<string, number>> = {
    malformed: 400,
    'bad-csr': 400,
    'bad-key': 400,
    'rejected-name': 400,
    unauthorized: 403,
    'out-of-scope': 403,
    'profile-refuses': 403,
    'evidence-missing': 403,
    'evidence-invalid': 403,
    'profile-unknown': 500,
    'already-revoked': 409,
    'not-found': 404,
    conflict: 409,
    'rate-limited': 429,
    unavailable: 503,
    internal: 500,
  };

  for (const type of Object.keys(coreErrorTypes) as (keyof typeof coreErrorTypes)[]) {
    it(`answer ${expected[type]} to ${type}, in one line`, () => {
      const answer = answerCoreError(
        new CoreError(type, 'a detail\nwith a line', { incident: 'I1', retryAfterSeconds: 7 }),
      );
      assert.equal(answer.status, expected[type]);
      assert.match(answer.body ?? '', /^[^\n]+\n$/);
      const hasRetry = answer.status === 429 || answer.status === 503;
      assert.equal(answer.headers?.['retry-after'], hasRetry ? '7' : undefined);
      if (answer.status === 500) assert.doesNotMatch(answer.body ?? '', /detail/);
    });
  }

  it('always say when to come again with 429 and 503', () => {
    for (const error of [new CoreError('unavailable', 'x'), new CoreError('rate-limited', 'x')]) {
      assert.match(answerCoreError(error).headers?.['retry-after'] ?? '', /^[1-9]\d*$/);
    }
    assert.match(answerEstError(new EstError('unavailable', 'x')).headers?.['retry-after'] ?? '', /^[1-9]\d*$/);
  });
});

describe('RFC 8951 §3: request bodies', () => {
  it('of any octets are read or refused with 400 or 413', () => {
    const der = newRequest({ names: ['DNS:a.example'] });
    const refusesWell = (body: Uint8Array) => {
      try {
        readRequestBody(body);
      } catch (error) {
        assert.ok(error instanceof EstError && (error.code === 'malformed' || error.code === 'too-large'));
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), refusesWell));
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 0, max: 255 }), (at, octet) => {
        const changed = Uint8Array.from(der);
        changed[at] = octet;
        refusesWell(changed);
        refusesWell(Buffer.from(Buffer.from(changed).toString('base64')));
      }),
    );
  });
});

describe('RFC 7030 §4.4.2: multipart answers', () => {
  it('have a boundary of their own and no Content-Transfer-Encoding', () => {
    const write = () =>
      writeKeyAndCertificate({ contentType: 'application/pkcs8', der: Buffer.alloc(9) }, Buffer.alloc(9));
    const [first, second] = [write(), write()];
    assert.notEqual(first.contentType, second.contentType);
    assert.doesNotMatch(first.body, /transfer-encoding/i);
    assert.ok(first.body.indexOf('application/pkcs8') < first.body.indexOf('application/pkcs7-mime'));
  });
});
