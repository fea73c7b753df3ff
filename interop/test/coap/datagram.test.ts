import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { block, decode, encode, pathOptions, type RawOption } from '../../src/coap/datagram.ts';

describe('messages that are written octet by octet, RFC 7252 §3', () => {
  it('are those of RFC 7252 appendix A', () => {
    // Figure 16: a GET of /temperature, and its answer.
    const request = encode({ code: '0.01', messageId: 0x7d34, options: pathOptions('/temperature') });
    assert.equal(request.toString('hex'), `40017d34bb${Buffer.from('temperature').toString('hex')}`);
    const answer = { type: 'ack', code: '2.05', messageId: 0x7d34, payload: Buffer.from('22.3 C') } as const;
    assert.equal(encode(answer).toString('hex'), '60457d34ff32322e332043');
    const { type, code, messageId, payload } = decode(encode(answer));
    assert.deepEqual({ type, code, messageId, payload }, answer);
  });

  it('have options in order, with deltas and lengths of every form, §3.1', () => {
    const options: readonly RawOption[] = [
      [60_000, 'x'.repeat(300)],
      [11, 'a'],
      [292, Buffer.alloc(20, 7)],
      [27, block(5, true, 2)],
    ];
    const read = decode(encode({ code: '0.02', messageId: 1, token: Buffer.of(1, 2), options, payload: Buffer.of(9) }));
    assert.deepEqual([...read.options.keys()], [11, 27, 292, 60_000]);
    assert.equal(read.options.get(27)?.toString('hex'), '5a');
    assert.equal(read.options.get(60_000)?.length, 300);
    assert.deepEqual([...read.token], [1, 2]);
  });

  it('have unsigned numbers in as few octets as it takes, §3.2', () => {
    const lengthOf = (value: number) =>
      decode(encode({ code: '0.01', messageId: 1, options: [[60, value]] })).options.get(60)?.length;
    assert.deepEqual([0, 1, 255, 256, 65_536].map(lengthOf), [0, 1, 1, 2, 3]);
  });

  it('are read as they were written, and nothing else is read as a message', () => {
    const octets = (maxLength: number) => fc.uint8Array({ maxLength });
    const option = fc.tuple(fc.integer({ min: 0, max: 65_535 }), octets(300));
    fc.assert(
      fc.property(
        fc.uniqueArray(option, { maxLength: 8, selector: ([number]) => number }),
        octets(8),
        (options, token) => {
          const read = decode(encode({ code: '0.03', messageId: 0xffff, token, options }));
          const written = options.toSorted(([one], [other]) => one - other);
          assert.deepEqual(
            [...read.options].map(([number, value]) => [number, value.toString('hex')]),
            written.map(([number, value]) => [number, Buffer.from(value).toString('hex')]),
          );
          assert.equal(read.token.toString('hex'), Buffer.from(token).toString('hex'));
        },
      ),
    );
    fc.assert(
      fc.property(octets(60), (noise) => {
        try {
          decode(Buffer.from(noise));
        } catch (error) {
          assert(error instanceof RangeError, String(error));
        }
      }),
    );
  });
});
