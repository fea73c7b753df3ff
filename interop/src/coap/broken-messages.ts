// What clients of CoAP can get wrong below EST: messages that are none, options that mean nothing, blocks out of order. Each
// row is a conversation in one session, step by step, with what must come back: one table, coaps.md §5.

import { block, encode, optionNumbers, pathOptions, type RawMessage } from './datagram.ts';
import { estPath, formats } from './est.ts';

/** One datagram, and what it must be answered with: a code, `rst`, or nothing. */
export type Step = readonly [datagram: Uint8Array, answer: string];

/** One row. */
export type BrokenMessage = {
  /** Completes 'answers …' */
  readonly name: string;
  readonly section: string;
  /** @param request a certification request that is in order, DER */
  readonly steps: (request: Buffer) => readonly Step[];
};

const messages = 'RFC 7252 §3';
const blocks = 'RFC 7959 §2.5';
const nothing = 'nothing';

const { contentFormat, block1, block2, size1, requestTag, uriPath, accept } = optionNumbers;

let lastId = 0;

/** A message with an identity of its own. */
function message(parts: Partial<RawMessage> & Pick<RawMessage, 'code'>): Buffer {
  lastId = (lastId + 1) & 0x7fff;
  return encode({ messageId: lastId, token: Buffer.of(0xaa, lastId & 0xff), ...parts });
}

type Options = NonNullable<RawMessage['options']>;

const get = (path: string, options: Options = []): Buffer =>
  message({ code: '0.01', options: [...pathOptions(path), ...options] });

const post = (payload: Uint8Array, options: Options = [], format: number = formats.pkcs10): Buffer =>
  message({ code: '0.02', options: [...pathOptions(estPath('sen')), [contentFormat, format], ...options], payload });

/** Octets from hexadecimal. */
const octets = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

const once =
  (datagram: () => Uint8Array, answer: string): BrokenMessage['steps'] =>
  () => [[datagram(), answer]];

const malformed: readonly BrokenMessage[] = [
  { name: 'a message of three octets', section: messages, steps: once(() => octets('400100'), nothing) },
  { name: 'a message of version 0', section: messages, steps: once(() => octets('00011001'), nothing) },
  { name: 'a message of version 3', section: messages, steps: once(() => octets('c0011001'), nothing) },
  {
    name: 'a token of nine octets',
    section: messages,
    steps: once(() => octets('49011002 010203040506070809'), 'rst'),
  },
  {
    name: 'a token of nine octets, not confirmable',
    section: messages,
    steps: once(() => octets('59011003 010203040506070809'), nothing),
  },
  { name: 'a token that ends too early', section: messages, steps: once(() => octets('48011004 0102'), 'rst') },
  {
    name: 'an option that ends too early',
    section: 'RFC 7252 §3.1',
    steps: once(() => octets('40011005 b8 6162'), 'rst'),
  },
  {
    name: 'an option of 65,000 octets that are not there',
    section: 'RFC 7252 §3.1',
    steps: once(() => octets('40011006 be fcdb 61'), 'rst'),
  },
  {
    name: 'an option with the reserved length',
    section: 'RFC 7252 §3.1',
    steps: once(() => octets('40011007 bf 61'), 'rst'),
  },
  { name: 'a marker without payload', section: messages, steps: once(() => octets('40011008 b1 61 ff'), 'rst') },
  {
    name: 'a marker without payload, not confirmable',
    section: messages,
    steps: once(() => octets('50011009 b1 61 ff'), nothing),
  },
  ...[1, 6, 7].map((reserved) => ({
    name: `a code of the reserved class ${reserved}`,
    section: 'RFC 7252 §12.1',
    steps: once(() => message({ code: `${reserved}.01` }), 'rst'),
  })),
  {
    name: 'an empty message with a token',
    section: 'RFC 7252 §4.1',
    steps: once(() => octets('4100100a 01'), 'rst'),
  },
  {
    name: 'an empty message, not confirmable',
    section: 'RFC 7252 §4.3',
    steps: once(() => octets('5000100b'), nothing),
  },
  {
    name: 'acknowledgements and resets of what was never sent',
    section: 'RFC 7252 §4.2',
    steps: () => [
      [octets('6000100c'), nothing],
      [octets('7000100d'), nothing],
    ],
  },
  {
    name: 'a response to what was never asked',
    section: 'RFC 7252 §5.3.2',
    steps: once(() => message({ code: '2.05', payload: Buffer.from('x') }), 'rst'),
  },
];

const requests: readonly BrokenMessage[] = [
  {
    name: 'an unknown critical option',
    section: 'RFC 7252 §5.4.1',
    steps: once(() => get(estPath('crts'), [[2049, Buffer.of(1)]]), '4.02'),
  },
  {
    name: 'an unknown elective option, which does not matter',
    section: 'RFC 7252 §5.4.1',
    steps: once(() => get(estPath('att'), [[2050, Buffer.of(1)]]), '2.05'),
  },
  {
    name: 'Observe, which does not matter',
    section: 'RFC 7641 §4.1',
    steps: once(() => get(estPath('att'), [[6, 0]]), '2.05'),
  },
  {
    name: 'Accept that is there twice',
    section: 'RFC 7252 §5.4.5',
    steps: once(
      () =>
        get(estPath('crts'), [
          [accept, formats.certsOnly],
          [accept, formats.certsOnly],
        ]),
      '4.02',
    ),
  },
  {
    name: 'Accept of five octets',
    section: 'RFC 7252 §5.4.3',
    steps: once(() => get(estPath('crts'), [[accept, Buffer.alloc(5, 1)]]), '4.02'),
  },
  {
    name: 'a segment of a path of 256 octets',
    section: 'RFC 7252 §5.4.3',
    steps: once(() => message({ code: '0.01', options: [[uriPath, 'a'.repeat(256)]] }), '4.02'),
  },
  {
    name: 'Proxy-Uri',
    section: 'RFC 7252 §5.7.2',
    steps: once(() => message({ code: '0.01', options: [[optionNumbers.proxyUri, 'coap://example.com/']] }), '5.05'),
  },
  {
    name: 'a method that there is not',
    section: 'RFC 7252 §5.8',
    steps: once(() => message({ code: '0.20', options: pathOptions(estPath('crts')) }), '4.05'),
  },
  { name: 'no path', section: 'RFC 9148 §4.1', steps: once(() => message({ code: '0.01' }), '4.04') },
  {
    name: 'an enrollment without a body',
    section: 'RFC 9148 §4.5',
    steps: once(
      () => message({ code: '0.02', options: [...pathOptions(estPath('sen')), [contentFormat, formats.pkcs10]] }),
      '4.00',
    ),
  },
  {
    name: 'a request whose signature is wrong',
    section: 'RFC 2986 §4.2',
    steps: (request) => {
      const forged = Buffer.from(request);
      forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1);
      return [[post(forged), '4.00']];
    },
  },
  {
    name: 'a request in base64, as over HTTPS',
    section: 'RFC 9148 §4.3',
    steps: (request) => [[post(Buffer.from(request.toString('base64'))), '4.00']],
  },
];

const transfers: readonly BrokenMessage[] = [
  {
    name: 'a block in the middle of nothing',
    section: blocks,
    steps: (request) => [[post(request.subarray(0, 64), [[block1, block(1, true, 2)]]), '4.08']],
  },
  {
    name: 'a gap between blocks',
    section: blocks,
    steps: (request) => [
      [post(request.subarray(0, 64), [[block1, block(0, true, 2)]]), '2.31'],
      [post(request.subarray(128, 192), [[block1, block(2, true, 2)]]), '4.08'],
    ],
  },
  {
    name: 'blocks with another Request-Tag',
    section: 'RFC 9175 §3.3',
    steps: (request) => [
      [
        post(request.subarray(0, 64), [
          [block1, block(0, true, 2)],
          [requestTag, Buffer.of(1)],
        ]),
        '2.31',
      ],
      [
        post(request.subarray(64, 128), [
          [block1, block(1, true, 2)],
          [requestTag, Buffer.of(2)],
        ]),
        '4.08',
      ],
    ],
  },
  {
    name: 'blocks with another content format midway',
    section: 'RFC 7959 §2.3',
    steps: (request) => [
      [post(request.subarray(0, 64), [[block1, block(0, true, 2)]]), '2.31'],
      [post(request.subarray(64, 128), [[block1, block(1, true, 2)]], 42), '4.08'],
    ],
  },
  {
    name: 'a block that is shorter than it says',
    section: 'RFC 7959 §2.3',
    steps: (request) => [[post(request.subarray(0, 60), [[block1, block(0, true, 2)]]), '4.00']],
  },
  {
    name: 'the reserved size of blocks',
    section: 'RFC 7959 §2.2',
    steps: (request) => [
      [post(request, [[block1, block(0, false, 7)]]), '4.00'],
      [get(estPath('crts'), [[block2, block(0, false, 7)]]), '4.00'],
    ],
  },
  {
    name: 'a body that says it is too large',
    section: 'RFC 7959 §4',
    steps: (request) => [
      [
        post(request.subarray(0, 64), [
          [block1, block(0, true, 2)],
          [size1, 1_000_000],
        ]),
        '4.13',
      ],
    ],
  },
  {
    name: 'a body that becomes too large',
    section: 'RFC 7959 §2.9.3',
    steps: () =>
      Array.from({ length: 17 }, (_, index): Step => {
        const last = index === 16;
        return [post(Buffer.alloc(1_024, 0x30), [[block1, block(index, true, 6)]]), last ? '4.13' : '2.31'];
      }),
  },
  {
    name: 'a block of a response that was never there',
    section: 'RFC 7959 §2.4',
    steps: () => [[get(estPath('skg'), [[block2, block(3, false, 2)]]), '4.08']],
  },
];

/** The table. */
export const brokenMessages: readonly BrokenMessage[] = [...malformed, ...requests, ...transfers];
