// A client's conversation with block-wise transfers on the message layer, as RFC 9148 §4.7 and Appendix B write conversations
// down: the test says what the client sends, and reads what comes back.

import { setImmediate } from 'node:timers/promises';
import { type Block, blockOption, decodeBlock, octetsOfBlock } from '../../../src/blockwise/block.ts';
import { encodeMessage } from '../../../src/message/codec.ts';
import { formatCode, methods } from '../../../src/message/codes.ts';
import type { CoapMessage, CoapOption } from '../../../src/message/message.ts';
import { optionNumbers } from '../../../src/message/option-numbers.ts';
import { optionOf, stringOption, uintOption, uintOptionOf } from '../../../src/message/options.ts';
import { decoded, openSession as openMessaging } from '../../message/support/session.ts';
import { openSession, type TestSessionOptions } from './session.ts';

/** What the client asks. */
export type Ask = {
  readonly method?: number;
  readonly path?: readonly string[];
  readonly block1?: Block | undefined;
  readonly block2?: Block | undefined;
  readonly payload?: Uint8Array | undefined;
  readonly options?: readonly CoapOption[];
  readonly messageId?: number;
};

/** A datagram of the gate. */
export type Heard = CoapMessage & { readonly octets: number };

/** Opens a conversation; the handler and the limits are those of the block-wise session. */
export function openConversation(options: TestSessionOptions = {}) {
  const session = openSession(options);
  const heard: Heard[] = [];
  let longest = 0;
  const { messaging, timing } = openMessaging({
    handle: session.blockwise.handle,
    parameters: { ackRandomFactor: 1 },
    maximumMessageOctets: options.maximumMessageOctets,
    send: (datagram) => {
      longest = Math.max(longest, datagram.length);
      heard.push({ ...decoded(Uint8Array.from(datagram)), octets: datagram.length });
    },
  });
  let nextMessageId = 0x1234;
  const hear = async (message: CoapMessage): Promise<readonly Heard[]> => {
    messaging.receive(encodeMessage(message));
    await setImmediate();
    return heard.splice(0);
  };
  return {
    session,
    messaging,
    timing,
    /** Octets of the longest datagram so far. */
    longest: () => longest,
    /** What was sent since, without anything having been asked. */
    listen: async (): Promise<readonly Heard[]> => {
      await setImmediate();
      return heard.splice(0);
    },
    hear,
    /** Asks by a Confirmable message with the longest token, a new Message ID unless told. */
    ask: ({ method = methods.post, path = ['est', 'sen'], ...given }: Ask): Promise<readonly Heard[]> =>
      hear({
        type: 'con',
        code: method,
        messageId: given.messageId ?? nextMessageId++,
        token: Buffer.from('a0a1a2a3a4a5a6a7', 'hex'),
        options: [
          ...path.map((segment) => stringOption(optionNumbers.uriPath, segment)),
          ...(given.block2 === undefined ? [] : [blockOption(optionNumbers.block2, given.block2)]),
          ...(given.block1 === undefined ? [] : [blockOption(optionNumbers.block1, given.block1)]),
          ...(given.payload === undefined ? [] : [uintOption(optionNumbers.contentFormat, 286)]),
          ...(given.options ?? []),
        ],
        payload: given.payload ?? new Uint8Array(),
      }),
    /** The session ends, as it does in the gate. */
    close: (): void => {
      messaging.close();
      session.blockwise.close();
    },
  };
}

/** A conversation. */
export type Conversation = ReturnType<typeof openConversation>;

/** '(ACK) (1:0/1/256) 2.31', as in the figures of RFC 9148. */
export function figure(message: CoapMessage): string {
  const parts = [`(${message.type.toUpperCase()})`];
  for (const [name, number] of [
    ['1', optionNumbers.block1],
    ['2', optionNumbers.block2],
  ] as const) {
    const value = optionOf(message, number);
    const block = value === undefined ? undefined : decodeBlock(value);
    if (block !== undefined)
      parts.push(`(${name}:${block.number}/${Number(block.isMore)}/${octetsOfBlock(block.sizeExponent)})`);
  }
  parts.push(formatCode(message.code));
  const maxAge = uintOptionOf(message, optionNumbers.maxAge);
  if (maxAge !== undefined) parts.push(`(Max-Age ${maxAge})`);
  return parts.join(' ');
}
