import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DerError } from '@gatehouse/pkix/der/reader';
import { integer, nullValue, objectIdentifier, octetString, sequence } from '@gatehouse/pkix/der/writer';
import { parseGeneralName, readGeneralNames, writeGeneralNames } from '@gatehouse/pkix/general-names';
import {
  findHardwareModuleName,
  formatHardwareSerialNumber,
  hardwareModuleName,
  readHardwareModuleName,
} from '@gatehouse/pkix/hardware-module-name';
import fc from 'fast-check';
import { foreignBytes } from './support/foreign-bytes.ts';

const type = '1.3.6.1.4.1.6715.10.1';
const named = (serialNumber: Uint8Array) => hardwareModuleName({ type, serialNumber });

describe('RFC 4108 §5: HardwareModuleName', () => {
  it('is found among alternative names, as they stand in the example of RFC 9148 appendix A', () => {
    // GeneralNames with one otherName: hwType 1.3.6.1.4.1.6715.10.1, hwSerialNum 01 02 03 04.
    const der = Buffer.from('3021a01f06082b06010505070804a013301106092b06010401b43b0a01040401020304', 'hex');
    const found = findHardwareModuleName(readGeneralNames(der));
    assert.equal(found?.type, type);
    assert.deepEqual(Buffer.from(found?.serialNumber ?? []), Buffer.from([1, 2, 3, 4]));
    assert.deepEqual(Buffer.from(writeGeneralNames([named(Uint8Array.of(1, 2, 3, 4))])), der);
  });

  it('is absent where no name is one', () => {
    assert.equal(findHardwareModuleName([]), undefined);
    assert.equal(findHardwareModuleName([parseGeneralName('DNS:a.example')]), undefined);
    assert.equal(findHardwareModuleName([{ kind: 'other', type: '1.2.3', value: nullValue() }]), undefined);
  });

  it('is refused when there are two, or it is of another form', () => {
    assert.throws(() => findHardwareModuleName([named(Uint8Array.of(1)), named(Uint8Array.of(2))]), DerError);
    const oid = objectIdentifier(type);
    for (const value of [
      nullValue(),
      sequence(),
      sequence(oid),
      sequence(oid, integer(1)),
      sequence(oid, octetString(new Uint8Array(0))),
      sequence(oid, octetString(new Uint8Array(65))),
      sequence(oid, octetString(Uint8Array.of(1)), nullValue()),
    ]) {
      assert.throws(() => readHardwareModuleName(value), DerError);
    }
  });

  it('is read or refused by DerError, whatever the octets', () => {
    const seed = sequence(objectIdentifier(type), octetString(Buffer.from('SN-1')));
    fc.assert(
      fc.property(foreignBytes(seed), (bytes) => {
        try {
          readHardwareModuleName(bytes);
        } catch (error) {
          assert.ok(error instanceof DerError, String(error));
        }
      }),
    );
  });

  it('has a text for its serial number that no other has', () => {
    const text = (serialNumber: Uint8Array) => formatHardwareSerialNumber({ type, serialNumber });
    assert.equal(text(Buffer.from('SN-12.a_B')), 'SN-12.a_B');
    assert.equal(text(Buffer.from([0xab, 0xcd])), '0xabcd');
    assert.equal(text(Buffer.from('0xabcd')), '0x307861626364');
    assert.equal(text(Buffer.from('a*b')), '0x612a62');
    const octets = fc.uint8Array({ minLength: 1, maxLength: 6 });
    const near = fc.oneof(
      octets,
      fc.stringMatching(/^(0x)?[0-9a-f]{1,8}$/).map((value) => Buffer.from(value)),
    );
    fc.assert(
      fc.property(near, near, (a, b) => {
        assert.equal(text(a) === text(b), Buffer.compare(a, b) === 0);
      }),
    );
  });
});
