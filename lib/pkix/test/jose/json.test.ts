import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canonicalJson } from '@gatehouse/pkix/jose/canonical-json';
import { JoseError } from '@gatehouse/pkix/jose/error';
import { type JsonValue, parseJson } from '@gatehouse/pkix/jose/json';
import fc from 'fast-check';

describe('RFC 8259, RFC 7493: JSON of strangers', () => {
  it('is read like JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), fc.constantFrom(undefined, 1, '\t'), (text, space) => {
        const spaced = JSON.stringify(JSON.parse(text), undefined, space);
        assert.deepEqual(parseJson(spaced), JSON.parse(spaced));
      }),
      { numRuns: 500 },
    );
  });

  it('is refused wherever JSON.parse refuses it', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', ',', '"', '}', '0', '\\', '\u0001', 'e'),
        (text, at, put) => {
          const index = at % (text.length + 1);
          const changed = text.slice(0, index) + put + text.slice(index + 1);
          if (!isJson(changed)) assert.throws(() => parseJson(changed), isMalformed);
          else onlyJoseErrors(() => parseJson(changed));
        },
      ),
      { numRuns: 2000 },
    );
  });

  for (const [what, text] of Object.entries({
    'a member twice': '{"a":1,"a":2}',
    'a member twice, once with an escape': '{"a":1,"\\u0061":2}',
    'a member twice, deep inside': '[{"b":{"a":1,"c":[],"a":1}}]',
    'NUL in a string': '"\\u0000"',
    'NUL between values': '[1,\u00002]',
    'half of a character': '"\\ud800"',
    'the second half first': '"\\udc00\\ud800"',
    'half of a character in a name': '{"\\ud83d":1}',
    'a number that is too large': '1e999',
    'a number with a leading zero': '01',
    NaN: 'NaN',
    'a trailing comma': '[1,]',
    'a comment': '{/**/}',
    'two values': '1 2',
    nothing: '',
    'a byte order mark': '\ufeff{}',
    'a line end in a string': '"a\nb"',
  })) {
    it(`is refused with ${what}`, () => assert.throws(() => parseJson(text), isMalformed));
  }

  it('is refused when it is not UTF-8', () => {
    for (const octets of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0x80, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0xef, 0xbb, 0xbf, 0x31],
    ]) {
      assert.throws(() => parseJson(Uint8Array.from(octets)), isMalformed);
    }
  });

  it('is refused when it is deeper than allowed', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    assert.doesNotThrow(() => parseJson(nested(10)));
    assert.throws(() => parseJson(nested(11)), isMalformed);
    assert.throws(() => parseJson('[{"a":[]}]', { maximumDepth: 2 }), isMalformed);
    assert.throws(() => parseJson(nested(100_000)), isMalformed);
  });

  it('cannot reach a prototype', () => {
    const value = parseJson('{"__proto__":{"isAdmin":true},"constructor":1}');
    assert.deepEqual(Object.keys(value as object).sort(), ['__proto__', 'constructor']);
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.equal((value as { isAdmin?: boolean }).isAdmin, undefined);
  });

  it('says where it is wrong', () => {
    assert.throws(() => parseJson('{"a":1,\n "a":2}'), { detail: /'a' stands there twice \(at character 13\)/ });
  });

  it('never fails with anything but JoseError', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => onlyJoseErrors(() => parseJson(bytes))));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => onlyJoseErrors(() => parseJson(text))));
  });
});

describe('RFC 8785: canonical JSON', () => {
  it('§3.2.2: writes the example', () => {
    const value = parseJson(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
    );
    assert.equal(
      canonicalJson(value),
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('§3.2.3: sorts by UTF-16 code units', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6'];
    const text = canonicalJson(Object.fromEntries(names.map((name) => [name, 0])));
    assert.equal(text, '{"\\r":0,"1":0,"\u0080":0,"\u00f6":0,"\u20ac":0,"\u{1f600}":0,"\ufb33":0}');
  });

  it('is one text for one value, and is read as that value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const plain = JSON.parse(JSON.stringify(value)) as JsonValue;
        const text = canonicalJson(plain);
        assert.deepEqual(JSON.parse(text), plain);
        assert.equal(canonicalJson(JSON.parse(text) as JsonValue), text);
      }),
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isMalformed(error: unknown): boolean {
  return error instanceof JoseError && error.code === 'malformed' && /^(JSON: |the JSON )/.test(error.detail);
}

function onlyJoseErrors(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof JoseError)) throw error;
  }
}
