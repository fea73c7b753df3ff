// Blocks out of order, of wrong sizes and of too much, RFC 7959 §2.

import { block, optionNumbers } from '../datagram.ts';
import { estPath } from '../est.ts';
import { type BrokenMessage, get, post, type Step } from './row.ts';

const blocks = 'RFC 7959 §2.5';
const { block1, block2, requestTag, size1 } = optionNumbers;

/** Rows of this room. */
export const transfers: readonly BrokenMessage[] = [
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
