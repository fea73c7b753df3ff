import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MultipartError, readMultipart, writeMultipart } from '../../src/multipart.ts';

const parts = fc.array(fc.record({ contentFormat: fc.nat(0xffff), content: fc.uint8Array({ maxLength: 3_000 }) }), {
  maxLength: 8,
});

describe('RFC 8710: multipart-core', () => {
  it('RFC 9148 §4.8: a key and a certificate are an array of four items', () => {
    const written = writeMultipart([
      { contentFormat: 284, content: Buffer.from('aa', 'hex') },
      { contentFormat: 281, content: Buffer.from('bbbb', 'hex') },
    ]);
    assert.equal(Buffer.from(written).toString('hex'), '8419011c41aa19011942bbbb');
  });

  it('RFC 8710 §2: what is written is read', () => {
    fc.assert(
      fc.property(parts, (written) => {
        const read = readMultipart(writeMultipart(written));
        assert.deepEqual(
          read.map(({ contentFormat, content }) => ({ contentFormat, content: new Uint8Array(content) })),
          written.map(({ contentFormat, content }) => ({ contentFormat, content })),
        );
      }),
    );
  });

  it('RFC 8710 §2: the order of the parts is theirs', () => {
    const [first, second] = readMultipart(Buffer.from('8419011942bbbb19011c41aa', 'hex'));
    assert.equal(first?.contentFormat, 281);
    assert.equal(second?.contentFormat, 284);
  });

  it('RFC 8710 §2: a part that is null was not sent', () => {
    assert.deepEqual(readMultipart(Buffer.from('8419011cf619011941aa', 'hex')), [
      { contentFormat: 281, content: Buffer.from('aa', 'hex') },
    ]);
  });

  for (const [name, octets] of Object.entries({
    nothing: '',
    'no array': '19011c',
    'a part without content': '8119011c',
    'a negative content format': '822041aa',
    'a content format of three octets': '821a0001000041aa',
    'a text for content': '8219011c6161',
    'something behind the array': '8219011c41aa00',
    'too many parts': `92${'0041aa'.repeat(9)}`,
    'an array that is cut off': '8419011c41aa',
  })) {
    it(`RFC 8710 §2: refuses ${name}`, () => {
      assert.throws(() => readMultipart(Buffer.from(octets, 'hex')), MultipartError);
    });
  }

  it('coaps.md §5: any octets are parts or a MultipartError', () => {
    const mutated = fc.tuple(parts, fc.nat(), fc.nat(255), fc.nat()).map(([given, position, octet, length]) => {
      const written = Buffer.from(writeMultipart(given));
      written[position % written.length] = octet;
      return written.subarray(0, 1 + (length % written.length));
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (octets) => {
        try {
          for (const { contentFormat } of readMultipart(octets)) assert(contentFormat >= 0 && contentFormat <= 0xffff);
        } catch (error) {
          assert(error instanceof MultipartError, String(error));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('coaps.md §5: deeply nested arrays are refused', () => {
    assert.throws(() => readMultipart(Buffer.alloc(60_000, 0x81)), MultipartError);
  });

  it('coaps.md §3: overwriting what was written touches no part and no other result', () => {
    const content = Buffer.from('secret');
    const one = writeMultipart([{ contentFormat: 284, content }]);
    const other = writeMultipart([{ contentFormat: 284, content }]);
    one.fill(0);
    assert.equal(content.toString(), 'secret');
    assert.deepEqual(readMultipart(other)[0]?.content, content);
  });
});
