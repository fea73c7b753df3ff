// The answers that the block-wise layer gives itself, RFC 7959 §2.9, with a word for people, RFC 7252 §5.5.2.

import type { Logger } from '@gatehouse/runtime/log';
import { formatCode, responseCodes } from '../message/codes.ts';
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

/** The refusals of one session. */
export type Refusals = {
  /** 4.00: the block cannot be what it says. */
  badRequest(defect: string): ResponseMessage;
  /** 4.08: the client has to begin the transfer again, RFC 7959 §2.9.2. */
  incomplete(defect: string): ResponseMessage;
  /**
   * 4.13 with the size that would have been taken, RFC 7959 §2.9.3 and §4. Without Block1, which would say that a smaller
   * block could help.
   */
  tooLarge(maximumBodyOctets: number): ResponseMessage;
  /** 5.03: there is no memory for the transfer now. */
  noRoom(): ResponseMessage;
};

/** Makes the refusals of one session, which has one line in the log for each code: a client could fill it otherwise. */
export function createRefusals(log: Logger): Refusals {
  const logged = new Set<number>();
  const refuse = (code: number, cause: string, options: readonly CoapOption[] = []): ResponseMessage => {
    if (!logged.has(code)) log.info({ code: formatCode(code), cause }, 'a block was refused');
    logged.add(code);
    return { code, options, payload: Buffer.from(cause) };
  };
  return {
    badRequest: (defect) => refuse(responseCodes.badRequest, defect),
    incomplete: (defect) => refuse(responseCodes.requestEntityIncomplete, defect),
    tooLarge: (maximumBodyOctets) =>
      refuse(responseCodes.requestEntityTooLarge, 'body too large', [
        uintOption(optionNumbers.size1, maximumBodyOctets),
      ]),
    noRoom: () =>
      refuse(responseCodes.serviceUnavailable, 'no memory for a transfer', [
        uintOption(optionNumbers.maxAge, noRoomMaxAgeSeconds),
      ]),
  };
}
