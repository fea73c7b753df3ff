// RFC 5280 §4.1.2.2 and the instance prefix that keeps two cores from colliding.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { integer } from '@gatehouse/pkix/der/writer';
import fc from 'fast-check';
import { formatSerialNumber, newInstancePrefix, newSerialNumber } from '../../src/x509/serial-number.ts';

const prefixes = fc
  .tuple(fc.integer({ min: 0x01, max: 0x7f }), fc.integer({ min: 0, max: 0xff }))
  .map((octets) => Uint8Array.from(octets));

describe('RFC 5280 §4.1.2.2: serial numbers', () => {
  it('are 18 octets that begin with the instance prefix, positive without padding', () => {
    fc.assert(
      fc.property(prefixes, (prefix) => {
        const serialNumber = newSerialNumber(prefix);
        assert.equal(serialNumber.length, 18);
        assert.deepEqual(serialNumber.subarray(0, 2), prefix);
        assert.deepEqual(Buffer.from(integer(serialNumber)), Buffer.concat([Buffer.of(0x02, 18), serialNumber]));
      }),
    );
  });

  it('do not repeat', () => {
    const prefix = Uint8Array.of(0x01, 0x00);
    const seen = new Set(Array.from({ length: 2000 }, () => formatSerialNumber(newSerialNumber(prefix))));
    assert.equal(seen.size, 2000);
  });

  it('stay as they are when the next one is made', () => {
    const prefix = Uint8Array.of(0x01, 0x00);
    const serialNumber = newSerialNumber(prefix);
    const before = formatSerialNumber(serialNumber);
    for (let i = 0; i < 600; i++) newSerialNumber(prefix);
    assert.equal(formatSerialNumber(serialNumber), before);
  });

  it('refuse a prefix that would make them negative, padded, or of another length', () => {
    for (const prefix of [[0x00, 0x80], [0x80, 0x01], [0x01], [0x01, 0x02, 0x03], []]) {
      assert.throws(() => newSerialNumber(Uint8Array.from(prefix)), RangeError);
    }
  });

  it('accept every prefix that is made for a new instance', () => {
    for (let i = 0; i < 1000; i++) assert.equal(newSerialNumber(newInstancePrefix()).length, 18);
  });

  it('are written as lower-case hex with all their octets', () => {
    assert.equal(formatSerialNumber(Uint8Array.of(0x01, 0x0a, 0xff, 0x00)), '010aff00');
  });
});
