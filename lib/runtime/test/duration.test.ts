import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DurationError, durationSchema, formatDuration, parseDuration } from '@gatehouse/runtime/duration';
import fc from 'fast-check';

describe('durations: reading', () => {
  for (const [text, ms] of [
    ['90d', 90 * 86_400_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['20y', 20 * 365 * 86_400_000],
    ['2w', 14 * 86_400_000],
    ['1500ms', 1500],
    ['1m5ms', 60_005],
    ['0s', 0],
  ] as const) {
    test(`reads ${text}`, () => assert.equal(parseDuration(text), ms));
  }

  for (const text of [
    '',
    '90',
    'd',
    '1.5h',
    '-1d',
    '1d 2h',
    '30m1h',
    '1d1d',
    '1D',
    ' 1d',
    '1h30',
    `${'9'.repeat(30)}y`,
    '1d'.repeat(100),
  ]) {
    test(`refuses ${JSON.stringify(text.slice(0, 20))}`, () => assert.throws(() => parseDuration(text), DurationError));
  }
});

describe('durations: writing', () => {
  test('writes what it reads, for every whole number of milliseconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (ms) => {
        assert.equal(parseDuration(formatDuration(ms)), ms);
      }),
    );
  });

  test('uses days for what is longer than a day', () => assert.equal(formatDuration(parseDuration('13w')), '91d'));

  test('refuses negative and fractional milliseconds', () => {
    assert.throws(() => formatDuration(-1), RangeError);
    assert.throws(() => formatDuration(0.5), RangeError);
  });
});

describe('durations: schema', () => {
  test('gives milliseconds', () => assert.equal(durationSchema.parse('10m'), 600_000));

  test('takes its default in the form of the file', () =>
    assert.equal(durationSchema.prefault('1h').parse(undefined), 3_600_000));

  test('refuses a bare number and says how to write it', () => {
    const result = durationSchema.safeParse('90');
    assert.match(result.error?.issues[0]?.message ?? '', /write it like '90d'/);
  });
});
