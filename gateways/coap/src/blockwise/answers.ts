// The answers that the block-wise layer gives itself, RFC 7959 §2.9, with a word for people, RFC 7252 §5.5.2.

import { responseCodes } from '../message/codes.ts';
import type { CoapOption, ResponseMessage } from '../message/message.ts';
import { optionNumbers } from '../message/option-numbers.ts';
import { uintOption } from '../message/options.ts';
import { type Block, blockOption } from './block.ts';

/** Seconds after which memory may be free again. */
const noRoomMaxAgeSeconds = 10;

/** 2.31: the block has arrived, the next one may come. */
export function continueAnswer(block1: Block): ResponseMessage {
  return {
    code: responseCodes.continue,
    options: [blockOption(optionNumbers.block1, block1)],
    payload: new Uint8Array(),
  };
}

/** 4.00: the block cannot be what it says. */
export function badRequest(defect: string): ResponseMessage {
  return diagnostic(responseCodes.badRequest, defect);
}

/** 4.08: the client has to begin the transfer again, RFC 7959 §2.9.2. */
export function incomplete(defect: string): ResponseMessage {
  return diagnostic(responseCodes.requestEntityIncomplete, defect);
}

/**
 * 4.13 with the size that would have been taken, RFC 7959 §2.9.3 and §4. Without Block1, which would say that a smaller block
 * could help.
 */
export function tooLarge(maximumBodyOctets: number): ResponseMessage {
  return diagnostic(responseCodes.requestEntityTooLarge, 'body too large', [
    uintOption(optionNumbers.size1, maximumBodyOctets),
  ]);
}

/** 5.03: there is no memory for the transfer now. */
export function noRoom(): ResponseMessage {
  return diagnostic(responseCodes.serviceUnavailable, 'no memory for a transfer', [
    uintOption(optionNumbers.maxAge, noRoomMaxAgeSeconds),
  ]);
}

function diagnostic(code: number, text: string, options: readonly CoapOption[] = []): ResponseMessage {
  return { code, options, payload: Buffer.from(text) };
}
