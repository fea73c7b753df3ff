import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readRange } from '../src/range.ts';

describe('RFC 9110 §14: ranges', () => {
  for (const [field, expected] of [
    ['bytes=0-499', { kind: 'part', first: 0, last: 499 }],
    ['bytes=500-999', { kind: 'part', first: 500, last: 999 }],
    ['bytes=0-0', { kind: 'part', first: 0, last: 0 }],
    ['bytes=9500-', { kind: 'part', first: 9500, last: 9999 }],
    ['bytes=-500', { kind: 'part', first: 9500, last: 9999 }],
    ['bytes=-20000', { kind: 'part', first: 0, last: 9999 }],
    ['bytes=9000-20000', { kind: 'part', first: 9000, last: 9999 }],
    ['Bytes = 1 - 2', { kind: 'part', first: 1, last: 2 }],
    ['bytes=10000-', { kind: 'unsatisfiable' }],
    ['bytes=10000-10001', { kind: 'unsatisfiable' }],
    ['bytes=-0', { kind: 'unsatisfiable' }],
    ['bytes=5-4', { kind: 'whole' }],
    ['bytes=-', { kind: 'whole' }],
    ['bytes=0-1,5-6', { kind: 'whole' }],
    ['bytes=a-b', { kind: 'whole' }],
    ['items=0-1', { kind: 'whole' }],
    ['bytes=99999999999999999999-', { kind: 'whole' }],
    ['', { kind: 'whole' }],
  ] as const) {
    it(`'${field}' of 10000 octets`, () => {
      assert.deepEqual(readRange(field, 10_000), expected);
    });
  }

  it('is a part of the whole, whatever is asked for', () => {
    const number = fc.option(fc.nat({ max: 5_000 }), { nil: '' });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.tuple(number, number).map(([a, b]) => `bytes=${a}-${b}`),
        ),
        fc.nat(3_000),
        (field, size) => {
          const range = readRange(field, size);
          if (range.kind !== 'part') return;
          assert.ok(range.first >= 0 && range.first <= range.last && range.last < size);
        },
      ),
    );
  });
});
