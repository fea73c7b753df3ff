import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  DerCursor,
  DerError,
  expectDer,
  maximumDepth,
  readBigInteger,
  readBitString,
  readBoolean,
  readInteger,
  readObjectIdentifier,
  readOnly,
  readSmallInteger,
  readString,
  readTime,
} from '../../src/der/reader.ts';
import { sequence } from '../../src/der/writer.ts';
import { p256Request } from '../fixtures/openssl.ts';
import { assertOnlyThrows, foreignBytes, octets } from '../support/foreign-bytes.ts';

const only = (hex: string) => readOnly(octets(hex));
const refuses = (read: () => unknown, detail: RegExp) =>
  assert.throws(read, (error) => error instanceof DerError && error.code === 'der' && detail.test(error.detail));

describe('X.690 §8.1 and §10.1: lengths', () => {
  it('reads short and long lengths', () => {
    assert.equal(only('04 02 0102').contents.length, 2);
    assert.equal(readOnly(Buffer.concat([octets('04 81 80'), Buffer.alloc(128)])).contents.length, 128);
    assert.equal(readOnly(Buffer.concat([octets('04 82 0100'), Buffer.alloc(256)])).contents.length, 256);
  });
  it('refuses indefinite lengths', () => refuses(() => only('30 80 0000'), /indefinite/));
  it('refuses a long length that would fit a short one', () => refuses(() => only('04 81 01 00'), /minimal/));
  it('refuses a length with a leading zero', () => {
    refuses(() => readOnly(Buffer.concat([octets('04 82 0080'), Buffer.alloc(128)])), /minimal/);
  });
  it('refuses a length that goes past the end', () => refuses(() => only('04 05 00'), /past the end/));
  it('refuses a length of more than four octets', () => refuses(() => only('04 85 0000000001 00'), /past the end/));
  it('refuses a length with its highest bit set', () => refuses(() => only('04 84 ffffffff'), /past the end/));
  it('refuses what is cut off inside of the header', () => {
    refuses(() => only('04'), /end at offset/);
    refuses(() => only('04 82 01'), /past the end/);
    refuses(() => only(''), /end at offset 0/);
  });
  it('refuses trailing octets', () => refuses(() => only('05 00 00'), /1 octets too many/));
});

describe('X.690 §8.1.2: tags', () => {
  it('refuses high tag numbers', () => refuses(() => only('1f 81 00'), /not accepted/));
  it('refuses the end-of-contents tag', () => refuses(() => only('00 00'), /not accepted/));
  it('refuses constructed strings, which DER has not (§10.2)', () => refuses(() => only('24 00'), /not DER/));
  it('refuses a primitive SEQUENCE', () => refuses(() => only('10 00'), /not DER/));
  it('names the tag it wanted and the one it found', () => {
    refuses(() => new DerCursor(octets('02 01 00')).read(0x30), /integer at offset 0 where sequence must stand/);
  });
});

describe('DerCursor', () => {
  it('walks over elements, optional ones and nested ones', () => {
    const cursor = new DerCursor(octets('30 08 02 01 05 a0 03 02 01 06')).enter(0x30);
    assert.equal(cursor.peekTag(), 0x02);
    assert.equal(readSmallInteger(cursor.read(0x02)), 5);
    assert.equal(cursor.readOptional(0x02), undefined);
    const inner = cursor.enter(0xa0);
    assert.equal(readSmallInteger(inner.read()), 6);
    assert.equal(inner.peekTag(), undefined);
    assert.ok(inner.isAtEnd && cursor.isAtEnd);
    cursor.expectEnd();
  });
  it('gives views and no copies', () => {
    const bytes = octets('30 03 02 01 05');
    const element = new DerCursor(bytes).read();
    assert.equal(element.raw.buffer, bytes.buffer);
    assert.deepEqual(Buffer.from(element.raw), bytes);
    assert.equal(element.contents.byteOffset, bytes.byteOffset + 2);
  });
  it('never looks past the element it is in', () => {
    refuses(() => new DerCursor(octets('30 02 02 05 01 02 03 04 05')).enter(0x30).read(), /past the end/);
  });
  it(`refuses more than ${maximumDepth} levels`, () => {
    let bytes: Uint8Array = sequence();
    for (let i = 0; i < maximumDepth + 2; i++) bytes = sequence(bytes);
    refuses(() => expectDer(bytes), /deeper/);
    refuses(() => {
      for (let cursor = new DerCursor(bytes); ; ) cursor = cursor.enter(0x30);
    }, /deeper/);
  });
});

describe('X.690 §8.19: object identifiers', () => {
  const read = (hex: string) => readObjectIdentifier(only(hex));
  it('reads the three roots and arcs of any size', () => {
    assert.equal(read('06 03 550403'), '2.5.4.3');
    assert.equal(read('06 06 2a864886f70d'), '1.2.840.113549');
    assert.equal(read('06 01 27'), '0.39');
    assert.equal(read('06 02 8837'), '2.999');
    assert.equal(
      read('06 14 6983ffffffffffffffffffffffffffffffffff7f'),
      '2.25.340282366920938463463374607431768211455',
    );
  });
  it('reads the same identifier in the same way when it is remembered', () => {
    for (let i = 0; i < 3; i++) assert.equal(read('06 03 551d11'), '2.5.29.17');
  });
  it('refuses an empty one', () => refuses(() => read('06 00'), /empty/));
  it('refuses a padded arc', () => refuses(() => read('06 03 2a8001'), /padded/));
  it('refuses one that is cut off', () => refuses(() => read('06 02 2a86'), /cut off/));
  it('refuses more than 128 octets before it does arithmetic', { timeout: 1000 }, () => {
    const long = Buffer.alloc(60000, 0xff);
    long[long.length - 1] = 0x7f;
    refuses(() => readObjectIdentifier({ tag: 6, contents: long, raw: long }), /longer than 128/);
  });
});

describe('X.690 §8.3: integers', () => {
  it('reads signed values', () => {
    for (const [hex, value] of [
      ['02 01 00', 0],
      ['02 01 7f', 127],
      ['02 02 0080', 128],
      ['02 01 80', -128],
      ['02 02 ff7f', -129],
    ] as const) {
      assert.equal(readSmallInteger(only(hex)), value);
      assert.equal(readBigInteger(only(hex)), BigInt(value));
    }
  });
  it('refuses an empty one', () => refuses(() => readInteger(only('02 00')), /empty/));
  it('refuses one that is padded', () => {
    refuses(() => readInteger(only('02 02 007f')), /minimal/);
    refuses(() => readInteger(only('02 02 ff80')), /minimal/);
  });
  it('refuses a small one of more than six octets', () =>
    refuses(() => readSmallInteger(only('02 07 01000000000000')), /too big/));
  it('refuses another universal type but takes an implicit tag at its word', () => {
    refuses(() => readInteger(only('04 01 00')), /octetString where integer/);
    assert.equal(readSmallInteger(only('80 01 05')), 5);
  });
});

describe('X.690 §11: what DER makes unique', () => {
  it('takes 00 and FF for booleans and nothing else (§11.1)', () => {
    assert.equal(readBoolean(only('01 01 ff')), true);
    assert.equal(readBoolean(only('01 01 00')), false);
    refuses(() => readBoolean(only('01 01 01')), /neither/);
    refuses(() => readBoolean(only('01 02 0000')), /neither/);
  });
  it('refuses unused bits that are not zero (§11.2.1)', () => {
    assert.deepEqual(readBitString(only('03 02 07 80')).unusedBits, 7);
    refuses(() => readBitString(only('03 02 07 81')), /not zero/);
    refuses(() => readBitString(only('03 02 08 00')), /bit count/);
    refuses(() => readBitString(only('03 01 01')), /bit count/);
    refuses(() => readBitString(only('03 00')), /bit count/);
    assert.equal(readBitString(only('03 01 00')).bytes.length, 0);
  });
});

describe('RFC 5280 §4.1.2.5: times', () => {
  const text = (tag: string, value: string) =>
    readTime(only(`${tag}${value.length.toString(16).padStart(2, '0')}${Buffer.from(value).toString('hex')}`));
  it('puts two-digit years from 50 on into the twentieth century', () => {
    assert.equal(text('17', '491231235959Z').toISOString(), '2049-12-31T23:59:59.000Z');
    assert.equal(text('17', '500101000000Z').toISOString(), '1950-01-01T00:00:00.000Z');
  });
  it('reads GeneralizedTime', () => {
    assert.equal(text('18', '20500101000000Z').toISOString(), '2050-01-01T00:00:00.000Z');
    assert.equal(text('18', '99991231235959Z').toISOString(), '9999-12-31T23:59:59.000Z');
    assert.equal(text('18', '00040229000000Z').toISOString(), '0004-02-29T00:00:00.000Z');
  });
  it('refuses offsets, fractions and missing seconds', () => {
    for (const value of ['260101000000+0000', '2601010000Z', '260101000000z'])
      refuses(() => text('17', value), /RFC 5280/);
    refuses(() => text('18', '20260101000000.5Z'), /RFC 5280/);
  });
  it('refuses instants that do not exist', () => {
    for (const value of [
      '260229000000Z',
      '261301000000Z',
      '260100000000Z',
      '260101240000Z',
      '260101006000Z',
      '260101000060Z',
    ]) {
      refuses(() => text('17', value), /does not exist/);
    }
    refuses(() => text('17', '2601010000x0Z'), /no digit/);
  });
});

describe('X.690 §8.23: character strings', () => {
  it('reads each type with its own repertoire', () => {
    assert.deepEqual(readString(only('0c 03 c3a4 62')), { tag: 0x0c, value: 'äb' });
    assert.deepEqual(readString(only('14 01 e4')), { tag: 0x14, value: 'ä' });
    assert.deepEqual(readString(only('1e 04 00e4 0062')), { tag: 0x1e, value: 'äb' });
    assert.deepEqual(readString(only('1c 04 0001f600')), { tag: 0x1c, value: '😀' });
    assert.deepEqual(readString(only('0c 04 efbbbf61')), { tag: 0x0c, value: '\ufeffa' });
  });
  it('refuses octets that are not of the type', () => {
    for (const hex of [
      '0c 01 ff',
      '0c 03 eda080',
      '0c 02 c080',
      '13 01 2a',
      '13 01 40',
      '16 01 80',
      '12 01 61',
      '1a 01 1f',
      '1e 01 61',
      '1e 02 d800',
      '1c 04 00110000',
      '1c 02 0061',
      '04 01 61',
    ]) {
      refuses(() => readString(only(hex)), /./);
    }
  });
});

describe('foreign bytes', () => {
  it('are DER to their leaves or a DerError', () => {
    assertOnlyThrows(expectDer, [DerError], foreignBytes(octets(p256Request, 'base64')));
  });
  it('are read as each type or a DerError', () => {
    const element = fc.tuple(
      fc.constantFrom(1, 2, 3, 4, 5, 6, 10, 12, 18, 19, 20, 22, 23, 24, 26, 28, 30, 0x80),
      fc.uint8Array({ maxLength: 40 }),
    );
    const readers = [
      readBoolean,
      readInteger,
      readSmallInteger,
      readBigInteger,
      readBitString,
      readObjectIdentifier,
      readString,
      readTime,
    ];
    fc.assert(
      fc.property(element, fc.constantFrom(...readers), ([tag, contents], read) => {
        try {
          read({ tag, contents, raw: contents });
        } catch (error) {
          assert.ok(error instanceof DerError, String(error));
        }
      }),
      { numRuns: 3000 },
    );
  });
});
