// application/multipart-core, RFC 8710, as far as RFC 9148 §4.8 uses it: a CBOR array of numbers and byte strings, in turn.
// Read octet by octet, so that no library that also wrote it takes part.

import assert from 'node:assert/strict';

/** One part. */
export type Part = { readonly format: number; readonly body: Buffer };

/** Takes a body apart. @throws when it is anything else, or is longer than its parts */
export function readMultipart(octets: Buffer): readonly Part[] {
  let at = 0;
  const head = (major: number): number => {
    const first = octets[at];
    assert(first !== undefined && first >> 5 === major, `octet ${at} must begin an item of major type ${major}`);
    const short = first & 0x1f;
    at += 1;
    if (short < 24) return short;
    const length = { 24: 1, 25: 2, 26: 4 }[short];
    assert(length !== undefined && at + length <= octets.length, 'lengths must be definite and whole');
    const value = octets.readUIntBE(at, length);
    at += length;
    return value;
  };
  const count = head(4);
  assert(count % 2 === 0, 'each part has a number and a byte string');
  const parts: Part[] = [];
  for (let part = 0; part < count / 2; part += 1) {
    const format = head(0);
    const length = head(2);
    assert(at + length <= octets.length, 'a part must be whole');
    parts.push({ format, body: octets.subarray(at, at + length) });
    at += length;
  }
  assert.equal(at, octets.length, 'nothing may follow the last part');
  return parts;
}
