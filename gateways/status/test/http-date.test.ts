import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatHttpDate, parseHttpDate } from '../src/http-date.ts';

const now = Date.UTC(2026, 5, 1);
const noon = Date.UTC(1994, 10, 6, 8, 49, 37);

describe('RFC 9110 §5.6.7: dates', () => {
  it('reads the three forms of the RFC', () => {
    assert.equal(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT', now), noon);
    assert.equal(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT', now), noon);
    assert.equal(parseHttpDate('Sun Nov  6 08:49:37 1994', now), noon);
  });

  it('takes two digits of a year for the last such year that is not 50 years ahead', () => {
    assert.equal(parseHttpDate('Monday, 01-Jun-76 00:00:00 GMT', now), Date.UTC(2076, 5, 1));
    assert.equal(parseHttpDate('Monday, 01-Jun-77 00:00:00 GMT', now), Date.UTC(1977, 5, 1));
  });

  for (const text of [
    '',
    'now',
    '0',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 31 Feb 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:61:37 GMT',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'sun, 06 nov 1994 08:49:37 gmt',
    '1994-11-06T08:49:37Z',
    'Sun, 06 Nov 1994 08:49:37 GMT ',
  ]) {
    it(`passes over '${text}'`, () => {
      assert.equal(parseHttpDate(text, now), undefined);
    });
  }

  it('reads what it writes, to the second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(2200, 0, 1) }), (time) => {
        assert.equal(parseHttpDate(formatHttpDate(time), now), Math.floor(time / 1000) * 1000);
      }),
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 99 }), (text, year) => {
        parseHttpDate(text, now);
        parseHttpDate(`Monday, 01-Jun-${String(year).padStart(2, '0')} 00:00:00 GMT`, now);
      }),
    );
  });
});
