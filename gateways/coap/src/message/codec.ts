// Messages from and to datagrams, RFC 7252 §3. Writing is coap-packet's; reading is our own, because its reader takes token
// lengths that RFC 7252 forbids, cuts values short that overrun the datagram, and calls options by names. No octet of a
// datagram makes the reader throw, and what it finds points into the datagram: whoever hands one over leaves it alone.

import { generate } from 'coap-packet';
import { formatCode, kindOfCode } from './codes.ts';
import type { CoapMessage, CoapOption, MessageType } from './message.ts';

/** What a datagram turned out to be. */
export type DecodedDatagram =
  | { readonly kind: 'message'; readonly message: CoapMessage }
  /** To be rejected: with a Reset when it is Confirmable, in silence otherwise, RFC 7252 §4.2 and §4.3. */
  | {
      readonly kind: 'format-error';
      readonly isConfirmable: boolean;
      readonly messageId: number;
      readonly cause: string;
    }
  /** Not CoAP as RFC 7252 knows it: nothing may be sent for it, §3. */
  | { readonly kind: 'ignored'; readonly cause: string };

const headerOctets = 4;
const maximumTokenOctets = 8;
const payloadMarker = 0xff;
const maximumOptionNumber = 65_535;

// RFC 7252 §3: T, two bits.
const messageTypes: readonly MessageType[] = ['con', 'non', 'ack', 'rst'];

/** What follows the token. */
type Body = { readonly options: readonly CoapOption[]; readonly payload: Uint8Array };

/** Reads a datagram. */
export function decodeMessage(datagram: Uint8Array): DecodedDatagram {
  const [first, code, high, low] = datagram;
  if (first === undefined || code === undefined || high === undefined || low === undefined) {
    return { kind: 'ignored', cause: 'fewer than 4 octets' };
  }
  // RFC 7252 §3: messages with unknown version numbers MUST be silently ignored.
  if (first >> 6 !== 1) return { kind: 'ignored', cause: `version ${first >> 6}` };
  const type = messageTypes[(first >> 4) & 3] ?? 'con';
  const messageId = (high << 8) | low;
  const fail = (cause: string): DecodedDatagram => {
    return { kind: 'format-error', isConfirmable: type === 'con', messageId, cause };
  };

  const kind = kindOfCode(code);
  // RFC 7252 §4.2: a code of a reserved class is rejected as a format error is.
  if (kind === 'reserved') return fail(`code ${formatCode(code)} is reserved`);
  if (kind === 'empty' && (datagram.length > headerOctets || (first & 0xf) > 0)) {
    return fail('an Empty message with more than a header'); // RFC 7252 §4.1
  }
  const tokenOctets = first & 0xf;
  // RFC 7252 §3: lengths 9 to 15 are reserved.
  if (tokenOctets > maximumTokenOctets) return fail(`a token of length ${tokenOctets}`);
  const tokenEnd = headerOctets + tokenOctets;
  if (datagram.length < tokenEnd) return fail('the token overruns the message');

  const body = readBody(datagram, tokenEnd);
  if (typeof body === 'string') return fail(body);
  return {
    kind: 'message',
    message: { type, code, messageId, token: datagram.subarray(headerOctets, tokenEnd), ...body },
  };
}

/** Reads options and payload, RFC 7252 §3 and §3.1. @returns what is wrong where something is */
function readBody(datagram: Uint8Array, start: number): Body | string {
  const options: CoapOption[] = [];
  let position = start;
  let number = 0;
  while (position < datagram.length) {
    const octet = datagram[position++] ?? 0;
    if (octet === payloadMarker) {
      // RFC 7252 §3: a marker followed by a zero-length payload is a message format error.
      if (position === datagram.length) return 'a payload marker without a payload';
      return { options, payload: datagram.subarray(position) };
    }
    const delta = readExtended(octet >> 4, datagram, position);
    if (delta === undefined) return 'a malformed option delta';
    const length = readExtended(octet & 0xf, datagram, delta.end);
    if (length === undefined) return 'a malformed option length';
    number += delta.value;
    if (number > maximumOptionNumber) return 'an option number above 65535';
    position = length.end + length.value;
    if (position > datagram.length) return `the value of option ${number} overruns the message`;
    options.push({ number, value: datagram.subarray(length.end, position) });
  }
  return { options, payload: datagram.subarray(datagram.length) };
}

/** Reads an option delta or length, RFC 7252 §3.1. @param nibble what the option's first octet says of it */
function readExtended(nibble: number, datagram: Uint8Array, at: number): { value: number; end: number } | undefined {
  if (nibble < 13) return { value: nibble, end: at };
  const [first, second] = [datagram[at], datagram[at + 1]];
  if (nibble === 15 || first === undefined) return undefined;
  if (nibble === 13) return { value: 13 + first, end: at + 1 };
  return second === undefined ? undefined : { value: 269 + ((first << 8) | second), end: at + 2 };
}

/** Writes a message; its options in any order. The buffer is the caller's alone. */
export function encodeMessage(message: CoapMessage): Buffer {
  return generate(
    {
      code: formatCode(message.code),
      confirmable: message.type === 'con',
      ack: message.type === 'ack',
      reset: message.type === 'rst',
      messageId: message.messageId,
      token: asBuffer(message.token),
      options: message.options.map(({ number, value }) => ({ name: number, value: asBuffer(value) })),
      payload: asBuffer(message.payload),
    },
    Number.POSITIVE_INFINITY,
  );
}

function asBuffer(octets: Uint8Array): Buffer {
  return Buffer.isBuffer(octets) ? octets : Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
}
