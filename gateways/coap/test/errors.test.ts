import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EstError, type EstErrorCode } from '@gatehouse/gateway-kit/est/error';
import { CoreError, type CoreErrorType } from '@gatehouse/ra-client/core-error';
import fc from 'fast-check';
import { answerBusy, answerCoreError, answerEstError, answerInternal, toDiagnostic, toMaxAge } from '../src/errors.ts';
import { formatCode } from '../src/message/codes.ts';

describe('RFC 9148 §4.5: refusals of the keep', () => {
  const table: Readonly<Record<CoreErrorType, string>> = {
    malformed: '4.00',
    'bad-csr': '4.00',
    'bad-key': '4.00',
    'rejected-name': '4.00',
    unauthorized: '4.01',
    'out-of-scope': '4.03',
    'profile-unknown': '5.00',
    'profile-refuses': '4.03',
    'evidence-missing': '4.03',
    'evidence-invalid': '4.03',
    'already-revoked': '4.09',
    'not-found': '4.04',
    conflict: '4.09',
    'rate-limited': '4.29',
    unavailable: '5.03',
    internal: '5.00',
  };

  const isType = (text: string): text is CoreErrorType => text in table;

  for (const [type, expected] of Object.entries(table)) {
    it(`makes ${type} ${expected}`, () => {
      assert.ok(isType(type));
      assert.equal(formatCode(answerCoreError(new CoreError(type, 'why')).code), expected);
    });
  }

  it('tells of an internal error nothing but that it is one', () => {
    for (const type of ['internal', 'profile-unknown'] as const) {
      const { payload } = answerCoreError(new CoreError(type, 'row 3 of table x'));
      assert.equal(Buffer.from(payload ?? []).toString(), 'internal error');
    }
    assert.match(Buffer.from(answerInternal('01ABC').payload ?? []).toString(), /01ABC/);
  });
});

describe('RFC 9148 §4.5: refusals of the gate', () => {
  const table: Readonly<Record<EstErrorCode, string>> = {
    malformed: '4.00',
    'wrong-name': '4.00',
    unauthenticated: '4.01',
    'not-allowed': '4.03',
    'not-found': '4.04',
    'method-not-allowed': '4.05',
    'too-slow': '4.08',
    'too-large': '4.13',
    'unsupported-media-type': '4.15',
    'too-many-requests': '4.29',
    unavailable: '5.03',
  };

  it('has a code for each', () => {
    for (const [code, expected] of Object.entries(table)) {
      const isCode = (text: string): text is EstErrorCode => text in table;
      assert.ok(isCode(code));
      assert.equal(formatCode(answerEstError(new EstError(code, 'why')).code), expected);
    }
  });
});

describe('RFC 7252 §5.10.5: Max-Age', () => {
  it('is in every 5.03 and 4.29, from who knows it or by default', () => {
    assert.equal(answerCoreError(new CoreError('unavailable', 'away', { retryAfterSeconds: 30 })).maxAgeSeconds, 30);
    assert.equal(answerEstError(new EstError('too-many-requests', 'x', { retryAfterSeconds: 0.2 })).maxAgeSeconds, 1);
    for (const answer of [
      answerCoreError(new CoreError('unavailable', 'away')),
      answerCoreError(new CoreError('rate-limited', 'slow down')),
      answerEstError(new EstError('unavailable', 'x')),
      answerBusy(),
    ]) {
      assert.ok((answer.maxAgeSeconds ?? 0) >= 1);
    }
  });

  it('is in no refusal that waiting would not mend', () => {
    assert.equal(answerEstError(new EstError('not-allowed', 'x')).maxAgeSeconds, undefined);
    assert.equal(answerCoreError(new CoreError('bad-csr', 'x', { retryAfterSeconds: 3 })).maxAgeSeconds, undefined);
  });

  it('is a whole number of seconds that fits', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e12, noNaN: true }), (seconds) => {
        const maxAge = toMaxAge(seconds);
        return Number.isInteger(maxAge) && maxAge >= 1 && maxAge <= 0xffff_ffff;
      }),
    );
  });
});

describe('RFC 7252 §5.5.2: diagnostic payloads', () => {
  it('are one line of at most 64 octets of whole characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const octets = toDiagnostic(text.toWellFormed());
        const read = new TextDecoder('utf-8', { fatal: true }).decode(octets);
        return octets.length <= 64 && !/[\r\n]/.test(read);
      }),
    );
  });

  it('are left whole when they are short, and marked when they are cut', () => {
    assert.equal(Buffer.from(toDiagnostic('not allowed')).toString(), 'not allowed');
    const cut = Buffer.from(toDiagnostic('ü'.repeat(40))).toString();
    assert.match(cut, /^ü+…$/);
  });
});
