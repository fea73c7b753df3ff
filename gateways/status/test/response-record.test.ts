import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { pack, packedSize, saysRevoked, unpack } from '../src/state/response-record.ts';
import { signedStatus } from './support/signed.ts';

const octets = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));

describe('a response in one piece of memory', () => {
  it('gives the parts that went in, wherever the record begins', () => {
    const parts = fc.record({ responseData: octets, signature: octets });
    fc.assert(
      fc.property(parts, parts, fc.nat({ max: 50 }), (sha1, sha256, start) => {
        const record = Buffer.alloc(start + packedSize({ sha1, sha256 }) + 10, 0xff);
        pack({ sha1, sha256 }, record.subarray(start));
        assert.deepEqual(unpack(record, start, 'sha1'), { ...sha1 });
        assert.deepEqual(unpack(record, start, 'sha256'), { ...sha256 });
      }),
    );
  });

  it('refuses a part above 64 KiB', () => {
    const part = { responseData: Buffer.alloc(65_536), signature: Buffer.alloc(1) };
    assert.throws(() => packedSize({ sha1: part, sha256: part }), RangeError);
  });

  it('RFC 6960 §4.2.1: knows good from revoked', () => {
    assert.equal(saysRevoked(signedStatus({ isRevoked: true }).sha256.responseData), true);
    assert.equal(saysRevoked(signedStatus().sha1.responseData), false);
  });
});
