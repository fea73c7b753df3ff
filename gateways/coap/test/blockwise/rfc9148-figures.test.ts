// The conversations of RFC 9148 as they are printed: §4.7 (figures of a short and of a long wait) and Appendix B.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { methods, responseCodes } from '../../src/message/codes.ts';
import type { CoapMessage } from '../../src/message/message.ts';
import { optionNumbers } from '../../src/message/option-numbers.ts';
import { optionOf, stringOption, uintOption, uintOptionOf } from '../../src/message/options.ts';
import type { CoapResponse } from '../../src/request.ts';
import { emptyMessage } from '../message/support/session.ts';
import { type Conversation, figure, openConversation } from './support/conversation.ts';
import { answering, bodyOf } from './support/session.ts';

const csr = bodyOf(700);
const response = bodyOf(600);
const issued: CoapResponse = { code: responseCodes.changed, contentFormat: 281, payload: response };
const sizeExponent = 4;
const wish = { number: 0, isMore: false, sizeExponent };

/** Sends the CSR in three blocks of 256 octets; what the gate says to each. */
async function sendCsr({ ask }: Conversation): Promise<readonly (readonly CoapMessage[])[]> {
  const answers: (readonly CoapMessage[])[] = [];
  for (const number of [0, 1, 2]) {
    const payload = csr.subarray(256 * number, 256 * (number + 1));
    const block1 = { number, isMore: number < 2, sizeExponent };
    // Appendix B.2: the size of Block2 is asked for in the very first message.
    answers.push(await ask({ payload, block1, block2: number === 0 ? wish : undefined }));
  }
  return answers;
}

/** Fetches the blocks after the first by requests without a payload; the octets of all. */
async function fetchRest({ ask }: Conversation, first: CoapMessage | undefined): Promise<Buffer> {
  const second = await ask({ block2: { ...wish, number: 1 } });
  assert.deepEqual(second.map(figure), ['(ACK) (2:1/1/256) 2.04']);
  const third = await ask({ block2: { ...wish, number: 2 } });
  assert.deepEqual(third.map(figure), ['(ACK) (2:2/0/256) 2.04']);
  return Buffer.concat([first, ...second, ...third].map((message) => message?.payload ?? new Uint8Array()));
}

describe('RFC 9148 Appendix B.1: cacerts in blocks of 64 octets', () => {
  const certificates = bodyOf(639);
  const get = {
    method: methods.get,
    path: [],
    options: [
      stringOption(optionNumbers.uriHost, 'example.com'),
      uintOption(optionNumbers.uriPort, 9085),
      stringOption(optionNumbers.uriPath, 'est'),
      stringOption(optionNumbers.uriPath, 'crts'),
      uintOption(optionNumbers.accept, 281),
    ],
  };

  it('is ten piggybacked responses, the last of 63 octets, with the printed option values', async () => {
    const conversation = openConversation({
      handle: answering({ code: responseCodes.content, contentFormat: 281, payload: certificates }),
    });
    const blocks: CoapMessage[] = [];
    for (let number = 0; number < 10; number++) {
      const [message = assert.fail()] = await conversation.ask({
        ...get,
        block2: { ...wish, number, sizeExponent: 2 },
      });
      assert.equal(figure(message), `(ACK) (2:${number}/${number < 9 ? 1 : 0}/64) 2.05`);
      assert.equal(uintOptionOf(message, optionNumbers.contentFormat), 281);
      blocks.push(message);
    }
    const values = [0, 1, 9].map((number) => optionOf(blocks[number] ?? assert.fail(), optionNumbers.block2));
    assert.deepEqual(
      values.map((value) => Buffer.from(value ?? []).toString('hex')),
      ['0a', '1a', '92'],
    );
    assert.equal(blocks[9]?.payload.length, 63);
    assert.deepEqual(Buffer.concat(blocks.map(({ payload }) => payload)), certificates);
    assert.equal(conversation.session.requests.length, 1);
    // The appendix stays within 127 octets with 29 of DTLS; ETag and Size2, which it does not have, fit too.
    assert.ok(conversation.longest() + 29 <= 127, `${conversation.longest()}`);
  });
});

describe('RFC 9148 Appendix B.2: enroll in blocks of 256 octets, answered at once', () => {
  it('is the printed conversation', async () => {
    const conversation = openConversation({ handle: answering(issued) });
    const [one = [], two = [], three = []] = await sendCsr(conversation);
    assert.deepEqual(one.map(figure), ['(ACK) (1:0/1/256) 2.31']);
    assert.deepEqual(two.map(figure), ['(ACK) (1:1/1/256) 2.31']);
    assert.deepEqual(three.map(figure), ['(ACK) (1:2/0/256) (2:0/1/256) 2.04']);
    assert.deepEqual(await fetchRest(conversation, three[0]), response);
    assert.deepEqual(
      conversation.session.requests.map(({ payload }) => payload),
      [csr],
    );
  });
});

describe('RFC 9148 §4.7: a short wait', () => {
  it('is the printed conversation: an Empty Acknowledgement, the response in a message of its own, then as ever', async () => {
    const gate = Promise.withResolvers<CoapResponse>();
    const conversation = openConversation({ handle: () => gate.promise });
    const [, , last = []] = await sendCsr(conversation);
    assert.deepEqual(last, []);
    conversation.timing.advance(1_000);
    assert.deepEqual((await conversation.listen()).map(figure), ['(ACK) 0.00']);
    gate.resolve(issued);
    const [first = assert.fail()] = await conversation.listen();
    assert.equal(figure(first), '(CON) (1:2/0/256) (2:0/1/256) 2.04');
    assert.deepEqual(await conversation.hear(emptyMessage('ack', first.messageId)), []);
    assert.deepEqual(await fetchRest(conversation, first), response);
    conversation.timing.advance(100_000);
    assert.deepEqual(await conversation.listen(), []);
  });
});

describe('RFC 9148 §4.7: a long wait', () => {
  it('is the printed conversation: 5.03 with Max-Age until all blocks come again and the certificate is ready', async () => {
    let isReady = false;
    const pending: CoapResponse = { code: responseCodes.serviceUnavailable, maxAgeSeconds: 120 };
    const conversation = openConversation({ handle: async () => (isReady ? issued : pending) });
    for (let attempt = 0; attempt < 2; attempt++) {
      const [, , last = []] = await sendCsr(conversation);
      assert.deepEqual(last.map(figure), ['(ACK) (1:2/0/256) 5.03 (Max-Age 120)']);
      conversation.session.clock.advance(120_000);
    }
    isReady = true;
    const [one = [], , last = []] = await sendCsr(conversation);
    assert.deepEqual(one.map(figure), ['(ACK) (1:0/1/256) 2.31']);
    assert.deepEqual(last.map(figure), ['(ACK) (1:2/0/256) (2:0/1/256) 2.04']);
    assert.deepEqual(await fetchRest(conversation, last[0]), response);
    assert.equal(conversation.session.requests.length, 3);
  });
});
