// Times on the wire, RFC 3339.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatTimestamp, parseTimestamp } from '../src/timestamp.ts';

describe('RFC 8555 §7.1.3: times of orders', () => {
  it('are written in UTC to the second, and read back', () => {
    assert.equal(formatTimestamp(new Date('2026-11-21T12:34:56.789Z')), '2026-11-21T12:34:56Z');
    const minimum = new Date('0001-01-01T00:00:00Z');
    const times = fc.date({ min: minimum, max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true });
    fc.assert(
      fc.property(times, (time) => {
        const read = parseTimestamp(formatTimestamp(time));
        assert.equal(read?.getTime(), Math.floor(time.getTime() / 1000) * 1000);
      }),
    );
  });

  it('are read with any zone and with fractions (RFC 3339 §5.6)', () => {
    assert.equal(parseTimestamp('2026-11-21T12:00:00+02:00')?.toISOString(), '2026-11-21T10:00:00.000Z');
    assert.equal(parseTimestamp('2026-11-21t12:00:00.25z')?.toISOString(), '2026-11-21T12:00:00.250Z');
  });

  const refused = ['', '2026-11-21', '2026-11-21T12:00:00', '2026-11-21 12:00:00Z', '2026-02-30T00:00:00Z'];
  for (const text of [...refused, '2026-13-01T00:00:00Z', '2026-11-21T24:00:00Z', '+002026-11-21T12:00:00Z', 5, null]) {
    it(`are not ${JSON.stringify(text)}`, () => {
      assert.equal(parseTimestamp(text), undefined);
    });
  }

  it('never make reading fail', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        parseTimestamp(value);
      }),
    );
  });
});
