// Messages of all kinds, for properties.

import fc from 'fast-check';
import { formatCode } from '../../../src/message/codes.ts';
import type { CoapMessage, CoapOption } from '../../../src/message/message.ts';

const octets = (maxLength: number) => fc.uint8Array({ maxLength });

const optionNumber = fc.oneof(fc.nat(300), fc.constantFrom(11, 15, 12, 13, 268, 269, 270), fc.nat(65_535));

/** An option of any number, its value as long as one, two or three octets can say. */
export const arbitraryOption: fc.Arbitrary<CoapOption> = fc.record({
  number: optionNumber,
  value: fc.oneof({ weight: 4, arbitrary: octets(20) }, octets(300)),
});

/** A message that has a code, not an Empty one; options ascending. */
export const arbitraryMessage: fc.Arbitrary<CoapMessage> = fc.record({
  type: fc.constantFrom('con', 'non', 'ack', 'rst'),
  code: fc.constantFrom(0x01, 0x02, 0x1f, 0x40, 0x45, 0x5f, 0x80, 0x9d, 0xa0, 0xa5, 0xbf),
  messageId: fc.nat(0xffff),
  token: octets(8),
  options: fc.array(arbitraryOption, { maxLength: 8 }).map((all) => all.toSorted((a, b) => a.number - b.number)),
  payload: fc.oneof(octets(40), octets(1_100)),
});

/** A message as values that compare, whatever holds their octets. */
export function plain(message: CoapMessage) {
  const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
  return {
    type: message.type,
    code: formatCode(message.code),
    messageId: message.messageId,
    token: hex(message.token),
    options: message.options.map(({ number, value }) => [number, hex(value)]),
    payload: hex(message.payload),
  };
}
