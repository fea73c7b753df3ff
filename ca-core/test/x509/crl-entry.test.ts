// The fast encoding of CRL entries against the general DER writer.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crlReasons, invalidityDate, reasonCode } from '@gatehouse/pkix/crl/extensions';
import { integer, sequence, time } from '@gatehouse/pkix/der/writer';
import { writeExtensions } from '@gatehouse/pkix/extensions';
import fc from 'fast-check';
import { type CrlEntry, maximumCrlEntryOctets, writeCrlEntry } from '../../src/x509/crl-entry.ts';

const plain: CrlEntry = { serialNumber: '2a01', revokedAt: Date.UTC(2026, 1, 3), reason: 1, invalidityDate: null };

function encode(entry: CrlEntry): string {
  const buffer = Buffer.alloc(maximumCrlEntryOctets + 3, 0xee);
  const end = writeCrlEntry(buffer, 3, entry);
  assert.ok(end - 3 <= maximumCrlEntryOctets);
  assert.ok(
    buffer.subarray(end).every((octet) => octet === 0xee),
    'nothing is written behind the entry',
  );
  return buffer.toString('hex', 3, end);
}

/** The same by the general writer. */
function expected({ serialNumber, revokedAt, reason, invalidityDate: invalidAt }: CrlEntry): string {
  const extensions = [
    ...(reason === crlReasons.unspecified ? [] : [reasonCode(reason)]),
    ...(invalidAt === null ? [] : [invalidityDate(new Date(invalidAt))]),
  ];
  const der = sequence(
    integer(Buffer.from(serialNumber, 'hex')),
    time(new Date(revokedAt)),
    ...(extensions.length === 0 ? [] : [writeExtensions(extensions)]),
  );
  return Buffer.from(der).toString('hex');
}

describe('RFC 5280 §5.1.2.6: entries of a CRL', () => {
  const anyTime = fc
    .date({ min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
    .map((date) => date.getTime());

  it('are what the DER writer makes of them', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 2n ** 159n - 1n }),
        anyTime,
        fc.constantFrom(...Object.values(crlReasons)),
        fc.option(anyTime),
        fc.boolean(),
        (number, revokedAt, reason, invalidAt, isUpperCase) => {
          const digits = number.toString(16);
          const hex = digits.length % 2 === 0 ? digits : `0${digits}`;
          const serialNumber = isUpperCase ? hex.toUpperCase() : hex;
          const entry = { serialNumber, revokedAt, reason, invalidityDate: invalidAt };
          assert.equal(encode(entry), expected(entry));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('§5.1.2.4: have UTCTime through 2049 and GeneralizedTime from 2050', () => {
    for (const at of [
      '1949-12-31T23:59:59Z',
      '1950-01-01T00:00:00Z',
      '2049-12-31T23:59:59.999Z',
      '2050-01-01T00:00:00Z',
    ]) {
      const entry = { ...plain, revokedAt: Date.parse(at) };
      assert.equal(encode(entry), expected(entry));
    }
  });

  it('drop leading zero octets of a serial number', () => {
    assert.equal(encode({ ...plain, serialNumber: '00002a01' }), encode(plain));
    assert.equal(encode({ ...plain, serialNumber: '0080' }), expected({ ...plain, serialNumber: '80' }));
  });

  it('§5.3.1: leave the reason unspecified out', () => {
    assert.doesNotMatch(encode({ ...plain, reason: 0 }), /551d15/);
    assert.match(encode(plain), /300c300a0603551d1504030a0101$/);
  });

  it('refuse what is no serial number, reason or time', () => {
    for (const serialNumber of ['', '1', '00', '0000', 'zz', '2a0x', '2a 1', '01'.repeat(21)]) {
      assert.throws(() => encode({ ...plain, serialNumber }), RangeError, serialNumber);
    }
    for (const reason of [7, 11, -1, 0.5, Number.NaN]) assert.throws(() => encode({ ...plain, reason }), RangeError);
    for (const at of [Number.NaN, Number.POSITIVE_INFINITY, 1e16, -1e15]) {
      assert.throws(() => encode({ ...plain, revokedAt: at }), RangeError);
      assert.throws(() => encode({ ...plain, invalidityDate: at }), RangeError);
    }
  });
});
