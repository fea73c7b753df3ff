// What options say, and which of them count, RFC 7252 §3.2 and §5.4.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { optionDefinitions, optionNumbers, understoodCriticalOptions } from '../../src/message/option-numbers.ts';
import {
  isCritical,
  isNoCacheKey,
  isUnsafe,
  optionOf,
  optionsOf,
  readString,
  readUint,
  screenOptions,
  stringOption,
  uintOption,
  uintOptionOf,
} from '../../src/message/options.ts';
import { arbitraryOption } from './support/arbitraries.ts';

const octets = (hex: string): Uint8Array => Buffer.from(hex, 'hex');

describe('RFC 7252 §3.2: values', () => {
  it('a uint has no leading zeros when it is written, and 0 has no octets', () => {
    const written = (value: number) => Buffer.from(uintOption(12, value).value).toString('hex');
    assert.deepEqual([0, 1, 255, 256, 65_535, 65_536, 2 ** 32 - 1].map(written), [
      '',
      '01',
      'ff',
      '0100',
      'ffff',
      '010000',
      'ffffffff',
    ]);
  });

  it('a uint may have leading zeros when it is read', () => {
    assert.deepEqual([octets(''), octets('00'), octets('0001'), octets('000000ff')].map(readUint), [0, 0, 1, 255]);
  });

  it('a uint is read as it was written', () => {
    fc.assert(fc.property(fc.nat(2 ** 32 - 1), (value) => assert.equal(readUint(uintOption(12, value).value), value)));
  });

  it('a string is UTF-8, and nothing is read where it is not', () => {
    assert.equal(readString(stringOption(11, 'grün').value), 'grün');
    assert.equal(readString(octets('efbbbf61')), '\ufeffa');
    for (const hex of ['ff', 'c3', 'c080', 'eda080']) assert.equal(readString(octets(hex)), undefined);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (value) => {
        const text = readString(value);
        if (text !== undefined) assert.deepEqual(Buffer.from(text), Buffer.from(value));
      }),
    );
  });

  it('the values of an option are found in their order', () => {
    const message = { options: [stringOption(11, 'a'), uintOption(12, 286), stringOption(11, 'b')] };
    assert.deepEqual(optionsOf(message, 11).map(readString), ['a', 'b']);
    assert.equal(uintOptionOf(message, 12), 286);
    assert.equal(optionOf(message, 14), undefined);
    assert.equal(uintOptionOf(message, 14), undefined);
  });
});

describe('RFC 7252 §5.4.6 and §5.10: the numbers', () => {
  it('say what table 4 of the RFC says of its options', () => {
    const numbers = [1, 3, 4, 5, 7, 8, 11, 12, 14, 15, 17, 20, 35, 39, 60];
    assert.deepEqual(numbers.filter(isCritical), [1, 3, 5, 7, 11, 15, 17, 35, 39]);
    assert.deepEqual(numbers.filter(isUnsafe), [3, 7, 11, 14, 15, 35, 39]);
    assert.deepEqual(numbers.filter(isNoCacheKey), [60]);
  });

  it('all have a definition', () => {
    assert.deepEqual(Object.values(optionNumbers), [...optionDefinitions.keys()]);
  });

  it('understood ones are critical and known', () => {
    assert.ok([...understoodCriticalOptions].every((number) => isCritical(number) && optionDefinitions.has(number)));
  });
});

describe('RFC 7252 §5.4: which options of a request count', () => {
  const screen = (...options: readonly (readonly [number, string])[]) => {
    const screened = screenOptions(
      options.map(([number, hex]) => ({ number, value: octets(hex) })),
      understoodCriticalOptions,
    );
    return screened.kind === 'accepted'
      ? screened.options.map(({ number, value }) => [number, Buffer.from(value).toString('hex')])
      : screened;
  };

  it('unknown elective ones are passed over, §5.4.1', () => {
    assert.deepEqual(screen([11, '61'], [2_048, 'ff'], [65_000, '']), [[11, '61']]);
  });

  it('unknown critical ones refuse the request, the first of them is named, §5.4.1', () => {
    assert.deepEqual(screen([9, '01'], [11, '61'], [2_049, '']), { kind: 'bad-option', number: 9 });
  });

  it('those of a wrong length are as unknown, §5.4.3', () => {
    assert.deepEqual(screen([12, '010203'], [60, '0102030405'], [292, '010203040506070809']), []);
    assert.deepEqual(screen([17, '010203']), { kind: 'bad-option', number: 17 });
    assert.deepEqual(screen([3, '']), { kind: 'bad-option', number: 3 });
    assert.deepEqual(screen([27, '01020304']), { kind: 'bad-option', number: 27 });
    assert.deepEqual(screen([11, 'aa'.repeat(256)]), { kind: 'bad-option', number: 11 });
  });

  it('supernumerary ones are as unknown, the first one counts, §5.4.5', () => {
    assert.deepEqual(screen([12, '01'], [12, '02'], [12, '03']), [[12, '01']]);
    assert.deepEqual(screen([17, '01'], [17, '01']), { kind: 'bad-option', number: 17 });
    assert.deepEqual(screen([11, '61'], [11, '62'], [292, '01'], [292, '02']), [
      [11, '61'],
      [11, '62'],
      [292, '01'],
      [292, '02'],
    ]);
  });

  it('one of a wrong length does not stand for the one that follows', () => {
    assert.deepEqual(screen([12, '010203'], [12, '02']), [[12, '02']]);
  });

  it('Proxy-Uri and Proxy-Scheme ask for a proxy, whatever else is wrong, §5.10.2', () => {
    assert.deepEqual(screen([9, ''], [35, '61']), { kind: 'proxying' });
    assert.deepEqual(screen([39, '']), { kind: 'proxying' });
  });

  it('Observe is elective: a request with it is answered as one without, RFC 7641 §4.1', () => {
    assert.deepEqual(screen([6, ''], [11, '61']), [
      [6, ''],
      [11, '61'],
    ]);
  });

  it('accepted options are known, as long as they may be, and understood where they are critical', () => {
    fc.assert(
      fc.property(fc.array(arbitraryOption, { maxLength: 12 }), (all) => {
        const options = all.toSorted((a, b) => a.number - b.number);
        const screened = screenOptions(options, understoodCriticalOptions);
        const critical = options.filter(({ number }) => isCritical(number));
        if (screened.kind !== 'accepted') {
          assert.ok(critical.length > 0);
          return;
        }
        assert.deepEqual(
          screened.options.filter(({ number }) => isCritical(number)),
          critical,
        );
        for (const { number, value } of screened.options) {
          const definition = optionDefinitions.get(number) ?? assert.fail();
          assert.ok(value.length >= definition.minimumOctets && value.length <= definition.maximumOctets);
          assert.ok(definition.isRepeatable || screened.options.filter((one) => one.number === number).length === 1);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
