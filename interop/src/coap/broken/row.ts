// What a row of the table of broken messages is: a conversation in one session, step by step, with what must come back; and
// the short words that the rows are written in.

import { encode, optionNumbers, pathOptions, type RawMessage } from '../datagram.ts';
import { estPath, formats } from '../est.ts';

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

/** For {@link Step}. */
export const nothing = 'nothing';

let lastId = 0;

/** A message with an identity of its own. */
export function message(parts: Partial<RawMessage> & Pick<RawMessage, 'code'>): Buffer {
  lastId = (lastId + 1) & 0x7fff;
  return encode({ messageId: lastId, token: Buffer.of(0xaa, lastId & 0xff), ...parts });
}

type Options = NonNullable<RawMessage['options']>;

/** A GET. */
export const get = (path: string, options: Options = []): Buffer =>
  message({ code: '0.01', options: [...pathOptions(path), ...options] });

/** A request for a certificate. */
export const post = (payload: Uint8Array, options: Options = [], format: number = formats.pkcs10): Buffer =>
  message({
    code: '0.02',
    options: [...pathOptions(estPath('sen')), [optionNumbers.contentFormat, format], ...options],
    payload,
  });

/** Octets from hexadecimal. */
export const octets = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** A conversation of one step. */
export const once =
  (datagram: () => Uint8Array, answer: string): BrokenMessage['steps'] =>
  () => [[datagram(), answer]];
