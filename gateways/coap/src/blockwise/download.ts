// The response body that one session is fetching, RFC 7959 §2.4: the latest one, in memory of the budget, so that no block
// after the first ever runs a handler. What becomes of it is told by its delivery.

import { createHash } from 'node:crypto';
import { classOf } from '../message/codes.ts';
import type { CoapOption, ResponseMessage } from '../message/message.ts';
import { optionNumbers } from '../message/option-numbers.ts';
import { uintOption } from '../message/options.ts';
import type { CoapResponse } from '../request.ts';
import type { Refusals } from './answers.ts';
import { type Block, blockOption, octetsOfBlock, offsetOfBlock, sizeExponentFor } from './block.ts';
import type { BlockBudget, BlockHold } from './budget.ts';
import { createDelivery, type Delivery, type DeliveryOptions, type GivenResponse } from './delivery.ts';
import type { RequestFields } from './fields.ts';
import type { TransferOutcome } from './metrics.ts';

/** A response that is kept. */
export type StoredResponse = {
  readonly resourceKey: string;
  readonly transferKey: string;
  readonly response: CoapResponse;
  readonly payload: Uint8Array;
  readonly eTag: Uint8Array;
  readonly hold: BlockHold;
  readonly delivery: Delivery;
  /** More than one block was needed. */
  isBlockwise: boolean;
  isOver: boolean;
};

/** The download of a session. */
export type Downloads = {
  /** Whether the response has to be kept: it is longer than one block, it is a secret, or somebody waits for its delivery. */
  mustStore(response: CoapResponse, wish: Block | undefined): boolean;
  /** Keeps a response in place of the one that was kept. @returns undefined when there is no room; it is then undelivered */
  store(fields: RequestFields, response: GivenResponse): StoredResponse | undefined;
  /** The first block of a response that is kept, or all of it. */
  first(stored: StoredResponse, fields: RequestFields, wish: Block | undefined): ResponseMessage;
  /** A response that is not kept. */
  whole(response: CoapResponse, fields: RequestFields, wish: Block | undefined): ResponseMessage;
  /** A block after the first, from what is kept: RFC 7959 §2.4. */
  next(fields: RequestFields, block: Block): ResponseMessage;
  /** The resource is asked anew: what is kept of it ends before that. Never rejects. */
  endResource(resourceKey: string): Promise<void>;
  close(): void;
};

/** What {@link createDownloads} takes. */
export type DownloadsOptions = DeliveryOptions & {
  readonly preferredBlock: number;
  readonly maximumMessageOctets: number;
  readonly budget: BlockBudget;
  readonly refusals: Refusals;
  /** Called when a response is forgotten: nobody may keep it any more. */
  readonly onForgotten: () => void;
};

// Header, the longest token, the payload marker: RFC 7252 §3.
const messageOverhead = 4 + 8 + 1;
const eTagOctets = 8;
// What this layer adds to the options of a response: ETag, and Block1, Block2 and Size2 at their longest.
const addedOctets = [eTagOctets, 3, 3, 4].map(optionOctets).reduce((sum, octets) => sum + octets);

/** Creates the place of a session's download. */
export function createDownloads(options: DownloadsOptions): Downloads {
  const { preferredBlock, maximumMessageOctets, budget, metrics, refusals } = options;
  let current: StoredResponse | undefined;
  let isClosed = false;

  const end = (stored: StoredResponse, outcome: TransferOutcome): Promise<void> => {
    if (stored.isOver) return Promise.resolve();
    stored.isOver = true;
    if (current === stored) current = undefined;
    stored.hold.release();
    options.onForgotten();
    if (stored.isBlockwise) metrics.ended('download', toOutcome(stored.delivery, outcome));
    return stored.delivery.end();
  };

  /** The largest size of blocks that the session's datagrams have room for. */
  const roomFor = (response: CoapResponse): number => {
    const written = commonOptions(response).reduce((sum, { value }) => sum + optionOctets(value.length), 0);
    return sizeExponentFor(maximumMessageOctets - messageOverhead - addedOctets - written);
  };

  const sizeFor = (response: CoapResponse, wish: Block | undefined): number =>
    Math.min(wish?.sizeExponent ?? sizeExponentFor(preferredBlock), roomFor(response));

  /** One block. @param sizeExponent of the client; where the room is less the same octets get another number */
  const blockAt = (stored: StoredResponse, offset: number, sizeExponent: number): ResponseMessage => {
    const { payload, response } = stored;
    const octets = octetsOfBlock(sizeExponent);
    const isMore = offset + octets < payload.length;
    const slice = payload.subarray(offset, offset + octets);
    stored.hold.touch();
    return {
      code: response.code,
      options: [
        ...commonOptions(response),
        { number: optionNumbers.eTag, value: stored.eTag },
        blockOption(optionNumbers.block2, { number: offset / octets, isMore, sizeExponent }),
      ],
      // The message may wait for its turn when a secret is overwritten.
      payload: response.isSecret === true ? new Uint8Array(slice) : slice,
      ...(isMore ? {} : { onUnacknowledged: stored.delivery.handOut() }),
    };
  };

  const wholeMessage = (response: CoapResponse, fields: RequestFields, wish: Block | undefined): ResponseMessage => {
    const { code, payload: given = new Uint8Array() } = response;
    // What is not kept cannot be sent in blocks: a "not now" goes without a diagnostic payload that is too long.
    const payload = given.length <= octetsOfBlock(roomFor(response)) ? given : new Uint8Array();
    // Who speaks of blocks is told that there is one only.
    const block: Block | undefined =
      wish !== undefined && classOf(code) === 2 && payload.length > 0
        ? { number: 0, isMore: false, sizeExponent: sizeFor(response, wish) }
        : undefined;
    return {
      code,
      options: [
        ...commonOptions(response),
        ...(block === undefined ? [] : [blockOption(optionNumbers.block2, block)]),
        ...(fields.asksForSize2 && payload.length > 0 ? [size2Option(payload)] : []),
      ],
      payload,
    };
  };

  return {
    mustStore: (response, wish) =>
      response.isSecret === true ||
      response.onDelivered !== undefined ||
      response.onUndelivered !== undefined ||
      (response.payload?.length ?? 0) > octetsOfBlock(sizeFor(response, wish)),
    store: (fields, response) => {
      if (current !== undefined) void end(current, 'replaced');
      const payload = response.payload ?? new Uint8Array();
      const delivery = createDelivery(response, options);
      const hold = isClosed
        ? undefined
        : budget.hold(payload.length, (cause) => {
            void end(stored, cause);
          });
      if (hold === undefined) {
        void delivery.end();
        if (!isClosed) metrics.ended('download', 'refused');
        return undefined;
      }
      const stored: StoredResponse = {
        resourceKey: fields.resourceKey,
        transferKey: fields.transferKey,
        response,
        payload,
        eTag: eTagOf(response, payload),
        hold,
        delivery,
        isBlockwise: false,
        isOver: false,
      };
      current = stored;
      return stored;
    },
    first: (stored, fields, wish) => {
      if (stored.isOver) return refusals.incomplete('the response is forgotten');
      const { payload, response } = stored;
      const sizeExponent = sizeFor(response, wish);
      const isSingle = payload.length <= octetsOfBlock(sizeExponent);
      if (isSingle) {
        stored.hold.touch();
        const message = wholeMessage(response, fields, wish);
        const copy = response.isSecret === true ? new Uint8Array(payload) : payload;
        return { ...message, payload: copy, onUnacknowledged: stored.delivery.handOut() };
      }
      stored.isBlockwise = true;
      const block = blockAt(stored, 0, sizeExponent);
      return { ...block, options: [...block.options, size2Option(payload)] };
    },
    whole: wholeMessage,
    next: (fields, block) => {
      const isKnown =
        current !== undefined &&
        (fields.hasRequestTag
          ? current.transferKey === fields.transferKey
          : current.resourceKey === fields.resourceKey);
      if (current === undefined || !isKnown) return refusals.incomplete('no such response');
      const offset = offsetOfBlock(block);
      if (offset >= current.payload.length) return refusals.badRequest('no such block');
      current.isBlockwise = true;
      const answer = blockAt(current, offset, Math.min(block.sizeExponent, roomFor(current.response)));
      return fields.asksForSize2 ? { ...answer, options: [...answer.options, size2Option(current.payload)] } : answer;
    },
    endResource: async (resourceKey) => {
      if (current?.resourceKey === resourceKey) await end(current, 'replaced');
    },
    close: () => {
      isClosed = true;
      if (current !== undefined) void end(current, 'closed');
    },
  };
}

function toOutcome({ state }: Delivery, outcome: TransferOutcome): TransferOutcome {
  if (state === 'undelivered') return outcome;
  return state === 'delivered' ? 'complete' : 'unconfirmed';
}

function commonOptions(response: CoapResponse): readonly CoapOption[] {
  const { contentFormat, maxAgeSeconds, options = [] } = response;
  return [
    ...(contentFormat === undefined ? [] : [uintOption(optionNumbers.contentFormat, contentFormat)]),
    ...(maxAgeSeconds === undefined ? [] : [uintOption(optionNumbers.maxAge, maxAgeSeconds)]),
    ...options,
  ];
}

/** An option at its longest, RFC 7252 §3.1: one octet, two of delta, up to two of length, the value. */
function optionOctets(valueOctets: number): number {
  const lengthOctets = valueOctets < 13 ? 0 : valueOctets < 269 ? 1 : 2;
  return 1 + 2 + lengthOctets + valueOctets;
}

function size2Option(payload: Uint8Array): CoapOption {
  return uintOption(optionNumbers.size2, payload.length);
}

/** RFC 7959 §2.4: blocks of one ETag belong to one representation. */
function eTagOf(response: CoapResponse, payload: Uint8Array): Uint8Array {
  const hash = createHash('sha256')
    .update(`${response.code} ${response.contentFormat ?? ''}\n`)
    .update(payload);
  return hash.digest().subarray(0, eTagOctets);
}
