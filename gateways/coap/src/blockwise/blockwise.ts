// Block-wise transfers of one session, RFC 7959 with RFC 9175 §3: between the messages below and whole requests above. A
// handler sees each body once and whole; blocks of a response after the first come from memory and never reach it.

import { newRequestId } from '@gatehouse/runtime/identifiers';
import { classOf, responseCodes } from '../message/codes.ts';
import type { RequestMessage, ResponseMessage } from '../message/message.ts';
import { optionNumbers } from '../message/option-numbers.ts';
import type { CoapResponse } from '../request.ts';
import { continueAnswer, createRefusals } from './answers.ts';
import { type Block, blockOption, sizeExponentFor } from './block.ts';
import type { GivenResponse } from './delivery.ts';
import { createDownloads } from './download.ts';
import { type RequestFields, readFields } from './fields.ts';
import type { Blockwise, BlockwiseOptions } from './options.ts';
import { createUploads, type UploadAnswer } from './upload.ts';

/**
 * Creates the block-wise layer of one session.
 *
 * @example
 * const blockwise = createBlockwise({ handle, limits, budget, maximumMessageOctets, clock, metrics, log });
 * const messaging = createMessaging({ handle: blockwise.handle, … });
 */
export function createBlockwise(options: BlockwiseOptions): Blockwise {
  const { handle, limits, budget, maximumMessageOctets, clock, metrics, log } = options;
  const { maximumBodyOctets, preferredBlock } = limits;
  const refusals = createRefusals(log);
  const downloads = createDownloads({
    preferredBlock,
    maximumMessageOctets,
    budget,
    metrics,
    refusals,
    log,
    onForgotten: () => uploads.forgetGone(),
  });

  const callHandler = async (fields: RequestFields, payload: Uint8Array): Promise<GivenResponse> => {
    // What the client did not fetch of the same resource ends first: its keeper may need to know before the next one.
    await downloads.endResource(fields.resourceKey);
    const { method, path, query, contentFormat, accept, options: all } = fields;
    const requestId = newRequestId();
    const response = await handle({ requestId, method, path, query, contentFormat, accept, payload, options: all });
    return { ...response, requestId };
  };

  const retryAt = (response: CoapResponse): number | undefined =>
    isNotNow(response) ? clock.now().getTime() + (response.maxAgeSeconds ?? 0) * 1000 : undefined;

  const keep = (fields: RequestFields, response: GivenResponse, until: number | undefined): UploadAnswer => {
    if (until !== undefined) {
      const secondsLeft = () => Math.max(0, Math.ceil((until - clock.now().getTime()) / 1000));
      return {
        retryAt: until,
        respond: (again) => downloads.whole({ ...response, maxAgeSeconds: secondsLeft() }, again, again.block2),
        isRefusal: false,
        isGone: () => false,
      };
    }
    const stored = downloads.store(fields, response);
    if (stored === undefined) return { respond: refusals.noRoom, isRefusal: true, isGone: () => true };
    return {
      respond: (again) => downloads.first(stored, again, again.block2),
      isRefusal: classOf(response.code) !== 2,
      isGone: () => stored.isOver,
    };
  };
  const uploads = createUploads({ maximumBodyOctets, budget, clock, metrics, ask: callHandler, retryAt, keep });

  /** A client that sends small blocks can hardly take larger ones, RFC 9148 Appendix B.2; libcoap says nothing else of it. */
  const wishBehind = ({ sizeExponent }: Block): Block | undefined =>
    sizeExponent < sizeExponentFor(preferredBlock) ? { number: 0, isMore: false, sizeExponent } : undefined;

  const takeBlock = async (fields: RequestFields, block1: Block): Promise<ResponseMessage> => {
    const step = uploads.take(fields, block1);
    switch (step.kind) {
      case 'continue':
        return continueAnswer(block1);
      case 'whole': {
        const answer = await step.answer;
        const message = answer.respond({ ...fields, block2: fields.block2 ?? step.wish ?? wishBehind(block1) });
        return { ...message, options: [...message.options, blockOption(optionNumbers.block1, block1)] };
      }
      case 'bad-block':
        return refusals.badRequest(step.defect);
      case 'incomplete':
        return refusals.incomplete(step.defect);
      case 'too-large':
        return refusals.tooLarge(maximumBodyOctets);
      case 'no-room':
        return refusals.noRoom();
    }
  };

  const takeWhole = async (fields: RequestFields): Promise<ResponseMessage> => {
    const { payload, size1 = 0, block2 } = fields;
    if (payload.length > maximumBodyOctets || size1 > maximumBodyOctets) return refusals.tooLarge(maximumBodyOctets);
    const response = await callHandler(fields, payload);
    if (!downloads.mustStore(response, block2)) return downloads.whole(response, fields, block2);
    const stored = downloads.store(fields, response);
    return stored === undefined ? refusals.noRoom() : downloads.first(stored, fields, block2);
  };

  return {
    handle: async (message: RequestMessage) => {
      budget.sweep();
      const fields = readFields(message);
      if ('defect' in fields) return refusals.badRequest(fields.defect);
      const { block1, block2 } = fields;
      // Before anything else: libcoap repeats the upload's options, with an empty payload, where it fetches the response.
      if (block2 !== undefined && block2.number > 0) return downloads.next(fields, block2);
      return block1 === undefined ? takeWhole(fields) : takeBlock(fields, block1);
    },
    close: () => {
      uploads.close();
      downloads.close();
    },
  };
}

/** RFC 9148 §4.7, RFC 8516 §3: the same request is welcome later. */
function isNotNow({ code }: CoapResponse): boolean {
  return code === responseCodes.serviceUnavailable || code === responseCodes.tooManyRequests;
}
