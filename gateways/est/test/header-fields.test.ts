import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readAuthorization } from '../src/authorization.ts';
import { readBasic } from '../src/basic.ts';
import { readMediaType } from '../src/media-type.ts';

const tokenText = fc.stringMatching(/^[a-z][a-z0-9-]{0,15}$/);

describe('RFC 9110 §8.3.1: Content-Type', () => {
  it('compares without case and parameters', () => {
    for (const value of [
      'application/pkcs10',
      'Application/PKCS10',
      ' application/pkcs10 ; charset=utf-8',
      'application/pkcs10;',
    ]) {
      assert.equal(readMediaType(value), 'application/pkcs10');
    }
  });

  it('is nothing when it is no media type', () => {
    for (const value of [
      '',
      'application',
      'application/',
      '/pkcs10',
      'application/pkcs10 x',
      'a/b/c',
      'a b/c',
      `a/${'b'.repeat(300)}`,
    ]) {
      assert.equal(readMediaType(value), undefined);
    }
  });

  it('finds the type before any parameters', () => {
    fc.assert(
      fc.property(tokenText, tokenText, fc.string({ unit: 'grapheme-ascii', maxLength: 40 }), (type, subtype, rest) => {
        assert.equal(readMediaType(`${type}/${subtype};${rest}`), `${type}/${subtype}`);
      }),
    );
  });
});

describe('RFC 9110 §11.4: Authorization', () => {
  it('reads a scheme with a token', () => {
    assert.deepEqual(readAuthorization('Basic YTpi'), { kind: 'token', scheme: 'basic', token: 'YTpi' });
    assert.deepEqual(readAuthorization('BEARER  a.b-c_d~e+f/g=='), {
      kind: 'token',
      scheme: 'bearer',
      token: 'a.b-c_d~e+f/g==',
    });
  });

  it('reads quoted and plain parameters', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(tokenText, fc.stringMatching(/^[\x20-\x7e]{0,20}$/)), {
          minLength: 1,
          maxLength: 6,
          selector: ([name]) => name,
        }),
        (pairs) => {
          const written = pairs.map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&')}"`).join(', ');
          const read = readAuthorization(`Digest ${written}`);
          assert.ok(read?.kind === 'parameters');
          assert.deepEqual([...read.parameters], pairs);
        },
      ),
    );
    const read = readAuthorization('Digest nc=00000001,qop=auth , uri="/a,b\\"c"');
    assert.ok(read?.kind === 'parameters');
    assert.deepEqual(
      [...read.parameters],
      [
        ['nc', '00000001'],
        ['qop', 'auth'],
        ['uri', '/a,b"c'],
      ],
    );
  });

  it('refuses what is malformed', () => {
    const malformed = [
      '',
      ' ',
      'Digest a="b',
      'Digest a="b" c',
      'Digest a=1, a=2',
      'Digest a=1, A=2',
      'Digest a=1,,',
      'Ba(sic YTpi',
      'Basic a b',
      'Basic a\u0000b',
      `Basic ${'a'.repeat(9000)}`,
    ];
    for (const value of malformed) assert.equal(readAuthorization(value), undefined, value);
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ maxLength: 200, unit: 'binary' }), (text) => void readAuthorization(text)));
  });
});

describe('RFC 7617 §2: Basic credentials', () => {
  const basic = (text: string | Uint8Array) =>
    readBasic({ kind: 'token', scheme: 'basic', token: Buffer.from(text as string).toString('base64') });

  it('are split at the first colon and read as UTF-8', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[^\p{C}\p{Z}:]{1,20}$/u),
        fc.stringMatching(/^[^\p{Cc}]{0,20}$/u),
        (name, password) => {
          assert.deepEqual(basic(`${name}:${password}`), { name, password });
        },
      ),
    );
  });

  it('are refused without a name, without a colon, with control characters, or when they are not UTF-8', () => {
    for (const text of [':pw', 'name', '', 'a\n:b', 'a:b\u0000']) assert.equal(basic(text), undefined);
    assert.equal(basic(Uint8Array.of(0xff, 0x3a, 0x61)), undefined);
    assert.equal(readBasic({ kind: 'token', scheme: 'basic', token: 'a.b' }), undefined);
  });
});
