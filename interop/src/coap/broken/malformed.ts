// Messages that are none, or that nobody asked for, RFC 7252 §3 and §4.

import { type BrokenMessage, message, nothing, octets, once } from './row.ts';

const messages = 'RFC 7252 §3';

/** Rows of this room. */
export const malformed: readonly BrokenMessage[] = [
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
