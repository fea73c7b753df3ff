// Reading and writing messages: what RFC 7252 §3 allows, what it forbids, and whether others agree.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { generate, parse } from 'coap-packet';
import fc from 'fast-check';
import { type DecodedDatagram, decodeMessage, encodeMessage } from '../../src/message/codec.ts';
import { formatCode } from '../../src/message/codes.ts';
import type { CoapMessage } from '../../src/message/message.ts';
import { arbitraryMessage, plain } from './support/arbitraries.ts';

const decode = (hex: string): DecodedDatagram => decodeMessage(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

function causeOf(decoded: DecodedDatagram): string {
  return decoded.kind === 'message' ? 'a message' : `${decoded.kind}: ${decoded.cause}`;
}

function messageOf(decoded: DecodedDatagram): CoapMessage {
  assert.equal(decoded.kind, 'message', causeOf(decoded));
  return (decoded.kind === 'message' && decoded.message) || assert.fail();
}

describe('RFC 7252 appendix A: the examples', () => {
  it('reads and writes the request of figure 16', () => {
    const datagram = Buffer.concat([Buffer.from('40017d34bb', 'hex'), Buffer.from('temperature')]);
    const message = messageOf(decodeMessage(datagram));
    assert.deepEqual(plain(message), {
      ...{ type: 'con', code: '0.01', messageId: 0x7d34, token: '', payload: '' },
      options: [[11, Buffer.from('temperature').toString('hex')]],
    });
    assert.deepEqual(encodeMessage(message), datagram);
  });

  it('reads and writes the response of figure 17, with a token', () => {
    const datagram = Buffer.concat([Buffer.from('61457d3520ff', 'hex'), Buffer.from('22.3 C')]);
    const message = messageOf(decodeMessage(datagram));
    assert.deepEqual(plain(message), {
      ...{ type: 'ack', code: '2.05', messageId: 0x7d35, token: '20', options: [] },
      payload: Buffer.from('22.3 C').toString('hex'),
    });
    assert.deepEqual(encodeMessage(message), datagram);
  });
});

describe('RFC 7252 §3: what is silently ignored', () => {
  for (const hex of ['', '40', '4001', '400100', '00010001', '80010001', 'c0010001']) {
    it(`'${hex}'`, () => assert.equal(decode(hex).kind, 'ignored'));
  }
});

describe('RFC 7252 §3, §3.1, §4.1, §4.2: what is a message format error', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['a token length of 9', '49 01 0001 010203040506070809', 'a token of length 9'],
    ['a token length of 13, whatever RFC 8974 says', `4d 01 0001 00 ${'01'.repeat(13)}`, 'a token of length 13'],
    ['a token length of 15', '4f 01 0001', 'a token of length 15'],
    ['a token that overruns the message', '44 01 0001 010203', 'the token overruns the message'],
    ['a payload marker without a payload', '40 01 0001 ff', 'a payload marker without a payload'],
    ['one after options', '40 01 0001 b161 ff', 'a payload marker without a payload'],
    ['an option delta of 15', '40 01 0001 f0', 'a malformed option delta'],
    ['an option delta without its octet', '40 01 0001 d0', 'a malformed option delta'],
    ['an option delta without its second octet', '40 01 0001 e001', 'a malformed option delta'],
    ['an option length of 15', '40 01 0001 0f', 'a malformed option length'],
    ['an option length without its octet', '40 01 0001 0d', 'a malformed option length'],
    ['an option length without its second octet', '40 01 0001 0e01', 'a malformed option length'],
    ['a value that overruns the message', '40 01 0001 b3 6161', 'the value of option 11 overruns the message'],
    ['an option number above 65535', '40 01 0001 e0ffff', 'an option number above 65535'],
    ['the reserved class 1', '40 21 0001', 'code 1.01 is reserved'],
    ['the reserved class 3', '40 61 0001', 'code 3.01 is reserved'],
    ['the reserved class 6', '40 c1 0001', 'code 6.01 is reserved'],
    ['the signalling class of RFC 8323', '40 e1 0001', 'code 7.01 is reserved'],
    ['an Empty message with a token', '41 00 0001 aa', 'an Empty message with more than a header'],
    ['an Empty message that announces a token', '41 00 0001', 'an Empty message with more than a header'],
    ['an Empty message with octets behind it', '40 00 0001 ff00', 'an Empty message with more than a header'],
  ];
  for (const [name, hex, cause] of cases) {
    it(name, () => {
      const octets = Buffer.from(hex.replaceAll(' ', ''), 'hex');
      assert.deepEqual(decodeMessage(octets), { kind: 'format-error', isConfirmable: true, messageId: 1, cause });
      for (const type of [0x10, 0x20, 0x30]) {
        octets[0] = ((octets[0] ?? 0) & 0xcf) | type;
        assert.deepEqual(decodeMessage(octets), { kind: 'format-error', isConfirmable: false, messageId: 1, cause });
      }
    });
  }
});

describe('RFC 7252 §3.1: option deltas and lengths', () => {
  it('are read in one, two and three octets at their bounds', () => {
    for (const step of [0, 1, 12, 13, 14, 268, 269, 270, 65_535]) {
      for (const length of [0, 12, 13, 268, 269, 1_034]) {
        const message: CoapMessage = {
          ...{ type: 'con', code: 1, messageId: 1, token: new Uint8Array(0), payload: Uint8Array.of(0xff, 0xff) },
          options: [{ number: step, value: Buffer.alloc(length, 0xff) }],
        };
        assert.deepEqual(plain(messageOf(decodeMessage(encodeMessage(message)))), plain(message));
      }
    }
  });

  it('are sorted when they are written, and occurrences keep their order', () => {
    const option = (number: number, value: string) => ({ number, value: Buffer.from(value) });
    const options = [option(15, 'x'), option(11, 'b'), option(11, 'a'), option(3, 'h')];
    const base = { type: 'con', code: 1, messageId: 1, token: new Uint8Array(0), payload: new Uint8Array(0) } as const;
    const read = messageOf(decodeMessage(encodeMessage({ ...base, options })));
    assert.deepEqual(
      read.options.map(({ number, value }) => `${number}${Buffer.from(value)}`),
      ['3h', '11b', '11a', '15x'],
    );
    assert.equal(options[0]?.number, 15);
  });
});

describe('properties', () => {
  it('no octets make the reader throw, and what it reads points into them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (octets) => {
        const decoded = decodeMessage(octets);
        if (decoded.kind !== 'message') return;
        const { token, options, payload } = decoded.message;
        assert.ok(token.length <= 8);
        for (const part of [token, payload, ...options.map(({ value }) => value)])
          assert.equal(part.buffer, octets.buffer);
        assert.ok(
          options.every(({ number }, index) => number >= (options[index - 1]?.number ?? 0) && number <= 65_535),
        );
      }),
      { numRuns: 5_000 },
    );
  });

  it('octets that begin like a message do not make it throw either, and are read again as they were written', () => {
    const header = fc.tuple(
      fc.integer({ min: 0x40, max: 0x7f }),
      fc.constantFrom(0, 1, 2, 0x45, 0x84),
      fc.nat(255),
      fc.nat(255),
    );
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 60 }), (head, rest) => {
        const decoded = decodeMessage(Uint8Array.from([...head, ...rest]));
        if (decoded.kind !== 'message') return;
        assert.deepEqual(plain(messageOf(decodeMessage(encodeMessage(decoded.message)))), plain(decoded.message));
      }),
      { numRuns: 5_000 },
    );
  });

  it('every message is read as it was written', () => {
    fc.assert(
      fc.property(arbitraryMessage, (message) => {
        assert.deepEqual(plain(messageOf(decodeMessage(encodeMessage(message)))), plain(message));
      }),
      { numRuns: 1_000 },
    );
  });

  it('no message that was cut short or has one octet changed makes it throw', () => {
    fc.assert(
      fc.property(arbitraryMessage, fc.nat(), fc.nat(255), (message, place, octet) => {
        const datagram = encodeMessage(message);
        decodeMessage(datagram.subarray(0, place % (datagram.length + 1)));
        datagram[place % datagram.length] = octet;
        decodeMessage(datagram);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('agreement with coap-packet', () => {
  it('on every message that it writes', () => {
    fc.assert(
      fc.property(arbitraryMessage, (message) => {
        const theirs = generate(
          {
            ...{ code: formatCode(message.code), messageId: message.messageId },
            ...{ confirmable: message.type === 'con', ack: message.type === 'ack', reset: message.type === 'rst' },
            ...{ token: Buffer.from(message.token), payload: Buffer.from(message.payload) },
            options: message.options.map(({ number, value }) => ({ name: String(number), value: Buffer.from(value) })),
          },
          100_000,
        );
        assert.deepEqual(plain(messageOf(decodeMessage(theirs))), plain(message));
      }),
      { numRuns: 500 },
    );
  });

  it('on every message that both of us read', () => {
    fc.assert(
      fc.property(arbitraryMessage, (message) => {
        const theirs = parse(encodeMessage(message));
        assert.equal(theirs.code, formatCode(message.code));
        assert.equal(theirs.messageId, message.messageId);
        assert.deepEqual(theirs.token, Buffer.from(message.token));
        assert.deepEqual(theirs.payload, Buffer.from(message.payload));
        assert.deepEqual(
          [theirs.confirmable, theirs.ack, theirs.reset],
          ['con', 'ack', 'rst'].map((type) => type === message.type),
        );
        assert.deepEqual(
          theirs.options.map(({ value }) => value),
          message.options.map(({ value }) => Buffer.from(value)),
        );
      }),
      { numRuns: 500 },
    );
  });
});
