import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  DerCursor,
  DerError,
  expectDer,
  readBigInteger,
  readBitString,
  readBoolean,
  readObjectIdentifier,
  readOnly,
  readSmallInteger,
  readString,
  readTime,
} from '../../src/der/reader.ts';
import * as writer from '../../src/der/writer.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('X.690 §8.1.3: lengths', () => {
  it('writes the shortest length', () => {
    for (const [length, header] of [
      [0, '0400'],
      [127, '047f'],
      [128, '048180'],
      [255, '0481ff'],
      [256, '04820100'],
      [65535, '0482ffff'],
      [65536, '0483010000'],
    ] as const) {
      const bytes = writer.octetString(new Uint8Array(length));
      assert.equal(hex(bytes).slice(0, header.length), header);
      assert.equal(readOnly(bytes).contents.length, length);
    }
  });
});

describe('X.690 §8.1: identifier and length alone', () => {
  it('are what stands in front of contents of that length', () => {
    for (const length of [0, 127, 128, 255, 256, 65_535, 65_536, 0xffffff, 0x1000000]) {
      const head = writer.writeHead(0x30, length);
      const whole = writer.sequence(new Uint8Array(length));
      assert.equal(hex(head), hex(whole.subarray(0, whole.length - length)));
    }
    assert.equal(hex(writer.writeHead(0x30, 0xffffffff)), '3084ffffffff');
  });
  it('are refused for a length that no reader takes', () => {
    for (const length of [-1, 0.5, 2 ** 32, Number.NaN]) assert.throws(() => writer.writeHead(0x30, length), DerError);
  });
});

describe('X.690 §8.3: integers', () => {
  it('takes octets as an unsigned magnitude', () => {
    assert.equal(hex(writer.integer(Uint8Array.of(0x80))), '02020080');
    assert.equal(hex(writer.integer(Uint8Array.of(0, 0, 1))), '020101');
    assert.equal(hex(writer.integer(Uint8Array.of(0, 0x80))), '02020080');
    assert.equal(hex(writer.integer(new Uint8Array(0))), '020100');
    assert.equal(hex(writer.integer(new Uint8Array(3))), '020100');
  });
  it('refuses numbers that are not integers', () => assert.throws(() => writer.integer(0.5), DerError));
  it('writes what the reader reads, for every value', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }), (value) => {
        assert.equal(readBigInteger(readOnly(writer.integer(value))), value);
      }),
    );
    fc.assert(
      fc.property(fc.integer(), (value) => {
        assert.equal(readSmallInteger(readOnly(writer.integer(value))), value);
        assert.deepEqual(hex(writer.integer(value)), hex(writer.integer(BigInt(value))));
      }),
    );
  });
});

describe('X.690 §8.19: object identifiers', () => {
  it('writes what the reader reads, for every identifier', () => {
    const arc = fc.bigInt({ min: 0n, max: 2n ** 128n });
    const root = fc.oneof(
      fc.tuple(fc.constantFrom(0n, 1n), fc.bigInt({ min: 0n, max: 39n })),
      fc.tuple(fc.constant(2n), arc),
    );
    fc.assert(
      fc.property(root, fc.array(arc, { maxLength: 4 }), (start, rest) => {
        const dotted = [...start, ...rest].join('.');
        assert.equal(readObjectIdentifier(readOnly(writer.objectIdentifier(dotted))), dotted);
      }),
    );
  });
  it('refuses text that is no identifier', () => {
    for (const text of [
      '',
      '1',
      '3.1',
      '1.40',
      '0.40.1',
      '1.2.',
      '1.02',
      'a.b',
      '1.2.-3',
      `1.2${'.4294967295'.repeat(40)}`,
    ]) {
      assert.throws(() => writer.objectIdentifier(text), DerError, text);
    }
  });
});

describe('X.690 §11: what DER makes unique', () => {
  it('sorts a SET OF by its encodings (§11.6)', () => {
    const parts = [writer.integer(300), writer.integer(2), writer.boolean(true), writer.integer(1)];
    assert.equal(hex(writer.setOf(parts)), '310d0101ff0201010201020202012c');
  });
  it('removes trailing zeros of named bit lists (§11.2.2)', () => {
    assert.equal(hex(writer.namedBitList([])), '030100');
    assert.equal(hex(writer.namedBitList([0])), '03020780');
    assert.equal(hex(writer.namedBitList([5, 6])), '03020106');
    assert.equal(hex(writer.namedBitList([0, 8])), '0303078080');
  });
  it('refuses unused bits that are not zero', () => {
    assert.throws(() => writer.bitString(Uint8Array.of(1), 1), DerError);
    assert.throws(() => writer.bitString(new Uint8Array(0), 1), DerError);
    assert.equal(readBitString(readOnly(writer.bitString(Uint8Array.of(2), 1))).unusedBits, 1);
  });
  it('writes booleans and nulls', () => {
    assert.equal(readBoolean(readOnly(writer.boolean(true))), true);
    assert.equal(hex(writer.nullValue()), '0500');
    assert.equal(hex(writer.enumerated(4)), '0a0104');
  });
});

describe('RFC 5280 §4.1.2.5: times', () => {
  it('changes from UTCTime to GeneralizedTime with the year 2050', () => {
    assert.equal(
      Buffer.from(writer.time(new Date('2049-12-31T23:59:59Z')))
        .toString('latin1')
        .slice(2),
      '491231235959Z',
    );
    assert.equal(
      Buffer.from(writer.time(new Date('2050-01-01T00:00:00Z')))
        .toString('latin1')
        .slice(2),
      '20500101000000Z',
    );
    assert.equal(writer.time(new Date('1949-12-31T00:00:00Z'))[0], 0x18);
    assert.equal(writer.time(new Date('1950-01-01T00:00:00Z'))[0], 0x17);
    assert.equal(
      Buffer.from(writer.generalizedTime(new Date('2020-01-02T03:04:05.999Z')))
        .toString('latin1')
        .slice(2),
      '20200102030405Z',
    );
  });
  it('writes what the reader reads, for every second of the years 0 to 9999', () => {
    const seconds = fc.integer({ min: Date.UTC(2000, 0, 1) / 1000 - 63113904000, max: Date.UTC(9999, 11, 31) / 1000 });
    fc.assert(
      fc.property(seconds, (second) => {
        const date = new Date(second * 1000);
        if (date.getUTCFullYear() < 0) return;
        assert.equal(readTime(readOnly(writer.time(date))).getTime(), date.getTime());
      }),
    );
  });
  it('refuses times it cannot write', () => {
    assert.throws(() => writer.time(new Date(Number.NaN)), DerError);
    assert.throws(() => writer.time(new Date(Date.UTC(10000, 0, 1))), DerError);
  });
});

describe('X.690 §8.14: tagged types', () => {
  it('writes explicit and implicit tags', () => {
    assert.equal(hex(writer.explicit(1, writer.integer(5))), 'a103020105');
    assert.equal(hex(writer.implicit(2, writer.integer(5))), '820105');
    assert.equal(hex(writer.implicitConstructed(0, writer.sequence(writer.integer(5)))), 'a003020105');
  });
});

describe('character strings', () => {
  it('are written as what the reader reads, for every text', () => {
    const types = [
      [writer.utf8String, fc.string({ unit: 'binary' })],
      [
        writer.bmpString,
        fc.string({ unit: fc.integer({ min: 0, max: 0xd7ff }).map((code) => String.fromCharCode(code)) }),
      ],
      [writer.ia5String, fc.string({ unit: 'binary-ascii' })],
      [writer.printableString, fc.string({ unit: fc.constantFrom(..."AZaz09 '()+,-./:=?") })],
      [(text: string) => writer.characterString(0x1c, text), fc.string({ unit: 'binary' })],
    ] as const;
    for (const [write, texts] of types) {
      fc.assert(fc.property(texts, (text) => assert.equal(readString(readOnly(write(text))).value, text)));
    }
  });
  it('are refused when a character is not of the type', () => {
    for (const write of [
      () => writer.printableString('a@b'),
      () => writer.ia5String('ä'),
      () => writer.bmpString('😀'),
      () => writer.utf8String('\ud800'),
      () => writer.characterString(0x14, 'Ā'),
      () => writer.characterString(0x12, 'x'),
      () => writer.characterString(0x1a, '\n'),
      () => writer.characterString(0x04, 'x'),
    ]) {
      assert.throws(write, DerError);
    }
  });
});

describe('what is written', () => {
  it('is DER to its leaves and is walked as it was built', () => {
    const bytes = writer.sequence(
      writer.set(writer.integer(1)),
      writer.concat(writer.nullValue(), writer.boolean(false)),
    );
    expectDer(bytes);
    const cursor = new DerCursor(bytes).enter(0x30);
    assert.deepEqual([cursor.read().tag, cursor.read().tag, cursor.read().tag], [0x31, 0x05, 0x01]);
    cursor.expectEnd();
  });
});
