// One session's block-wise layer with a handler that records what it was asked, and messages for it.

import { createManualClock, type ManualClock } from '@gatehouse/runtime/clock';
import { createLog } from '@gatehouse/runtime/log';
import { type Block, blockOption, decodeBlock } from '../../../src/blockwise/block.ts';
import { createBlockwise } from '../../../src/blockwise/blockwise.ts';
import { type BlockBudget, createBlockBudget } from '../../../src/blockwise/budget.ts';
import type { BlockMetrics } from '../../../src/blockwise/metrics.ts';
import type { Blockwise } from '../../../src/blockwise/options.ts';
import { methods, responseCodes } from '../../../src/message/codes.ts';
import type { CoapOption, RequestMessage, ResponseMessage } from '../../../src/message/message.ts';
import { optionNumbers } from '../../../src/message/option-numbers.ts';
import { optionOf, stringOption, uintOption, uintOptionOf } from '../../../src/message/options.ts';
import type { CoapRequest, CoapResponse, ResourceHandler } from '../../../src/request.ts';

/** A session under test. */
export type TestSession = {
  readonly blockwise: Blockwise;
  readonly budget: BlockBudget;
  readonly clock: ManualClock;
  /** What the handler was asked, in order. */
  readonly requests: CoapRequest[];
  /** 'direction outcome', in order. */
  readonly ended: string[];
  send(message: RequestMessage): Promise<ResponseMessage>;
};

/** What a test session may be made with. */
export type TestSessionOptions = {
  readonly handle?: ResourceHandler;
  readonly maximumBodyOctets?: number;
  readonly preferredBlock?: number;
  readonly maximumMessageOctets?: number;
  readonly budgetOctets?: number;
  readonly budget?: BlockBudget;
  readonly clock?: ManualClock;
  /** Takes the lines of the log. */
  readonly lines?: string[];
};

export const entryLifeMs = 247_000;

/** Metrics that count nothing. */
export const noMetrics: BlockMetrics = { ended: () => {}, unconfirmed: () => {}, stateOctets: () => {} };

/** Opens a session; its handler answers 2.04 with the body backwards unless another is given. */
export function openSession(options: TestSessionOptions = {}): TestSession {
  const clock = options.clock ?? createManualClock(new Date('2026-01-01T00:00:00Z'));
  const requests: CoapRequest[] = [];
  const ended: string[] = [];
  const metrics: BlockMetrics = {
    ended: (direction, outcome) => ended.push(`${direction} ${outcome}`),
    unconfirmed: () => ended.push('unconfirmed'),
    stateOctets: () => {},
  };
  const budget =
    options.budget ??
    createBlockBudget({
      maximumOctets: options.budgetOctets ?? 2 * 1024 * 1024,
      entryLifeMs,
      clock,
      metrics: noMetrics,
    });
  const { handle = async ({ payload }) => ({ code: responseCodes.changed, payload: backwards(payload) }) } = options;
  const blockwise = createBlockwise({
    handle: (request) => {
      requests.push({ ...request, payload: Buffer.from(request.payload) });
      return handle(request);
    },
    limits: {
      maximumBodyOctets: options.maximumBodyOctets ?? 16_384,
      preferredBlock: options.preferredBlock ?? 512,
    },
    budget,
    maximumMessageOctets: options.maximumMessageOctets ?? 1_200,
    clock,
    metrics,
    log: createLog({
      name: 'test',
      level: options.lines === undefined ? 'silent' : 'info',
      destination: { write: (line) => options.lines?.push(line) },
    }),
  });
  return { blockwise, budget, clock, requests, ended, send: (message) => blockwise.handle(message) };
}

/** The octets from the last to the first. */
export function backwards(octets: Uint8Array): Buffer {
  return Buffer.from(octets).reverse();
}

/** Octets that tell where they stand. */
export function bodyOf(octets: number): Buffer {
  return Buffer.from(Array.from({ length: octets }, (_, index) => (index * 7 + (index >> 8)) & 0xff));
}

/** What a message may be made of. */
export type MessageParts = {
  readonly method?: number;
  readonly path?: readonly string[];
  readonly query?: readonly string[];
  readonly contentFormat?: number | undefined;
  readonly block1?: Block | undefined;
  readonly block2?: Block | undefined;
  readonly size1?: number | undefined;
  readonly size2?: number | undefined;
  readonly tag?: Uint8Array | undefined;
  readonly payload?: Uint8Array;
  readonly options?: readonly CoapOption[];
};

let messageId = 0;

/** A request message, a POST to /est/sen unless told; its token and Message ID are new each time, as with libcoap. */
export function message(parts: MessageParts): RequestMessage {
  const { method = methods.post, path = ['est', 'sen'], query = [], payload = new Uint8Array() } = parts;
  const options: CoapOption[] = [
    ...path.map((segment) => stringOption(optionNumbers.uriPath, segment)),
    ...query.map((argument) => stringOption(optionNumbers.uriQuery, argument)),
    ...(parts.contentFormat === undefined ? [] : [uintOption(optionNumbers.contentFormat, parts.contentFormat)]),
    ...(parts.block2 === undefined ? [] : [blockOption(optionNumbers.block2, parts.block2)]),
    ...(parts.block1 === undefined ? [] : [blockOption(optionNumbers.block1, parts.block1)]),
    ...(parts.size1 === undefined ? [] : [uintOption(optionNumbers.size1, parts.size1)]),
    ...(parts.size2 === undefined ? [] : [uintOption(optionNumbers.size2, parts.size2)]),
    ...(parts.tag === undefined ? [] : [{ number: optionNumbers.requestTag, value: parts.tag }]),
    ...(parts.options ?? []),
  ];
  messageId = (messageId + 1) % 65_536;
  const token = Buffer.from([messageId >> 8, messageId & 0xff]);
  return { method, options, payload, token, messageId, isConfirmable: true, receivedAt: new Date(0) };
}

/** The messages of an upload in blocks of one size. */
export function uploadOf(body: Uint8Array, sizeExponent: number, parts: MessageParts = {}): readonly RequestMessage[] {
  const octets = 16 << sizeExponent;
  const count = Math.max(1, Math.ceil(body.length / octets));
  return Array.from({ length: count }, (_, number) =>
    message({
      ...parts,
      payload: body.subarray(number * octets, (number + 1) * octets),
      block1: { number, isMore: number + 1 < count, sizeExponent },
    }),
  );
}

/** Sends messages one after the other. @returns the last answer */
export async function sendAll(session: TestSession, messages: readonly RequestMessage[]): Promise<ResponseMessage> {
  let answer: ResponseMessage | undefined;
  for (const each of messages) answer = await session.send(each);
  if (answer === undefined) throw new Error('no message was given');
  return answer;
}

/** Fetches the blocks that follow the first, as libcoap does. @returns the whole body, or the first answer that is no block */
export async function fetchRest(
  session: TestSession,
  first: ResponseMessage,
  parts: MessageParts = {},
): Promise<Buffer | ResponseMessage> {
  const blocks = [first.payload];
  let latest = first;
  for (;;) {
    const block = block2Of(latest);
    if (block === undefined || !block.isMore) return Buffer.concat(blocks);
    latest = await session.send(message({ ...parts, block2: { ...block, number: block.number + 1, isMore: false } }));
    if (latest.code !== first.code) return latest;
    blocks.push(latest.payload);
  }
}

/** Block2 of an answer. */
export function block2Of(answer: ResponseMessage): Block | undefined {
  const value = optionOf(answer, optionNumbers.block2);
  return value === undefined ? undefined : decodeBlock(value);
}

/** Block1 of an answer. */
export function block1Of(answer: ResponseMessage): Block | undefined {
  const value = optionOf(answer, optionNumbers.block1);
  return value === undefined ? undefined : decodeBlock(value);
}

/** A number of an answer. */
export function uintOf(answer: ResponseMessage, number: number): number | undefined {
  return uintOptionOf(answer, number);
}

/** A handler that answers everything with this. */
export function answering(response: CoapResponse): ResourceHandler {
  return async () => response;
}
