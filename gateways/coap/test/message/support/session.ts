// A message layer whose peer is a test: what it sends comes as messages, and the test answers requests when it likes.

import { setImmediate } from 'node:timers/promises';
import { createManualClock } from '@gatehouse/runtime/clock';
import { createLog } from '@gatehouse/runtime/log';
import { createMetrics } from '@gatehouse/runtime/metrics';
import { decodeMessage, encodeMessage } from '../../../src/message/codec.ts';
import { methods, responseCodes } from '../../../src/message/codes.ts';
import type { CoapMessage, RequestMessage, ResponseMessage } from '../../../src/message/message.ts';
import { createMessaging, type MessagingOptions } from '../../../src/message/messaging.ts';
import { createMessageMetrics } from '../../../src/message/metrics.ts';
import { ManualTiming } from './manual-timing.ts';

const metrics = createMetrics();

/** The counters of all sessions of a test file. */
export const messageMetrics = createMessageMetrics(metrics);

/** A request that the handler has been given and the test has to answer. */
export type GivenRequest = {
  readonly request: RequestMessage;
  /** Answers it, and waits until the message layer has done with that what it does at once. */
  answer(response?: Partial<ResponseMessage>): Promise<void>;
  fail(error: unknown): Promise<void>;
};

const empty = new Uint8Array(0);

/** A Confirmable POST with Message ID 1 unless told otherwise. */
export function request(parts: Partial<CoapMessage> = {}): CoapMessage {
  const base = {
    type: 'con',
    code: methods.post,
    messageId: 1,
    token: Uint8Array.of(7),
    options: [],
    payload: empty,
  } as const;
  return { ...base, ...parts };
}

/** An Empty message. */
export function emptyMessage(type: CoapMessage['type'], messageId: number): CoapMessage {
  return { type, code: 0, messageId, token: empty, options: [], payload: empty };
}

/** A 2.04 with a text. */
export function changed(text: string, parts: Partial<ResponseMessage> = {}): ResponseMessage {
  return { code: responseCodes.changed, options: [], payload: Buffer.from(text), ...parts };
}

/** Reads a datagram that has to be a message. */
export function decoded(datagram: Uint8Array): CoapMessage {
  const result = decodeMessage(datagram);
  if (result.kind !== 'message') throw new Error(`no message: ${result.cause}`);
  return result.message;
}

/** Opens a session. */
export function openSession(options: Partial<MessagingOptions> = {}) {
  const timing = new ManualTiming();
  const sent: CoapMessage[] = [];
  const given: GivenRequest[] = [];
  const lines: Record<string, unknown>[] = [];
  const messaging = createMessaging({
    // The buffer is the message layer's: what a test keeps is a copy.
    send: (datagram) => void sent.push(decoded(Uint8Array.from(datagram))),
    handle: (request) => {
      const { promise, resolve, reject } = Promise.withResolvers<ResponseMessage>();
      given.push({
        request,
        answer: async (response = {}) => {
          resolve(changed('done', response));
          await setImmediate();
        },
        fail: async (error) => {
          reject(error);
          await setImmediate();
        },
      });
      return promise;
    },
    clock: createManualClock(new Date('2026-01-01T00:00:00Z')),
    log: createLog({
      name: 'test',
      level: 'info',
      destination: { write: (line) => void lines.push(JSON.parse(line)) },
    }),
    metrics: messageMetrics,
    timing,
    ...options,
  });
  return {
    messaging,
    timing,
    given,
    lines,
    /** Hands a message over. */
    receive: (message: CoapMessage) => messaging.receive(encodeMessage(message)),
    /** What was sent since the last call. */
    takeSent: (): CoapMessage[] => sent.splice(0),
  };
}

/** The request at a place; fails when the handler was not given so many. */
export function requestAt(given: readonly GivenRequest[], index: number): GivenRequest {
  const one = given[index];
  if (one === undefined) throw new Error(`the handler was given ${given.length} requests`);
  return one;
}

/** The only message of those sent. */
export function only(messages: readonly CoapMessage[]): CoapMessage {
  const [message] = messages;
  if (message === undefined || messages.length !== 1) throw new Error(`${messages.length} messages were sent`);
  return message;
}
