// What becomes of a generated key in conversations that lose messages, RFC 9148 §4.7 and §4.8: block-wise transfers on the message
// layer, so that what one says of a loss is what the other acts upon.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { responseCodes } from '../../src/message/codes.ts';
import type { CoapResponse } from '../../src/request.ts';
import { emptyMessage } from '../message/support/session.ts';
import { figure, openConversation } from './support/conversation.ts';
import { bodyOf } from './support/session.ts';

const path = ['est', 'skg'];
const csr = bodyOf(40);
const sizeExponent = 6;
/** The last of the request, in a message with another Message ID each time. */
const last = { path, payload: csr, block1: { number: 0, isMore: false, sizeExponent } };

/** A conversation whose keeper takes longer than an Acknowledgement may: the key is on its way in a message of its own. */
async function withKeyOnItsWay(octets = 300) {
  const events: string[] = [];
  const lines: string[] = [];
  const gate = Promise.withResolvers<void>();
  const payload = bodyOf(octets);
  const handle = async (): Promise<CoapResponse> => {
    await gate.promise;
    return {
      code: responseCodes.changed,
      contentFormat: 62,
      payload,
      isSecret: true,
      onDelivered: () => void events.push('delivered'),
      onUndelivered: async () => void events.push('undelivered'),
    };
  };
  const conversation = openConversation({ handle, lines });
  const { ask, timing, listen } = conversation;
  await ask(last);
  timing.advance(1_000);
  assert.deepEqual((await listen()).map(figure), ['(ACK) 0.00']);
  gate.resolve();
  const [separate = assert.fail()] = await listen();
  assert.equal(separate.type, 'con');
  return { ...conversation, separate, events, lines };
}

describe('RFC 9148 §4.8: the certificate of a generated key', () => {
  it('stands when the separate response was lost, the client got it by asking again, and resets the repetition', async () => {
    const { ask, hear, timing, listen, close, separate, events } = await withKeyOnItsWay();
    const [again = assert.fail()] = await ask(last);
    assert.equal(figure(again), '(ACK) (1:0/0/1024) 2.04');
    assert.deepEqual(Buffer.from(again.payload), bodyOf(300));
    timing.advance(2_000);
    assert.deepEqual(
      (await listen()).map(({ messageId }) => messageId),
      [separate.messageId],
    );
    await hear(emptyMessage('rst', separate.messageId));
    close();
    assert.deepEqual(events, ['delivered']);
  });

  it('stands, too, when the first copy is reset and the client has the second', async () => {
    const { ask, hear, close, separate, events } = await withKeyOnItsWay();
    await ask(last);
    await hear(emptyMessage('rst', separate.messageId));
    close();
    assert.deepEqual(events, ['delivered']);
  });

  it('stands when the client has the key and goes, and its one Acknowledgement is lost (libcoap)', async () => {
    const { close, events, lines } = await withKeyOnItsWay();
    close();
    assert.deepEqual(events, ['delivered']);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /was not confirmed/);
  });

  it('stands when no repetition is acknowledged either', async () => {
    const { timing, close, events, lines } = await withKeyOnItsWay();
    timing.advance(62_000);
    close();
    assert.deepEqual([events, lines.length], [['delivered'], 1]);
  });

  it('is revoked when the client rejects the only message with it', async () => {
    const { hear, close, separate, events, lines } = await withKeyOnItsWay();
    await hear(emptyMessage('rst', separate.messageId));
    close();
    assert.deepEqual([events, lines], [['undelivered'], []]);
  });

  it('is revoked when the client fetches some of the blocks and goes, whatever it acknowledged', async () => {
    for (const isAcknowledged of [true, false]) {
      const { ask, hear, close, separate, events, lines } = await withKeyOnItsWay(1_300);
      if (isAcknowledged) await hear(emptyMessage('ack', separate.messageId));
      const [second = assert.fail()] = await ask({ path, block2: { number: 1, isMore: false, sizeExponent: 5 } });
      assert.equal(figure(second), '(ACK) (2:1/1/512) 2.04');
      close();
      assert.deepEqual([events, lines], [['undelivered'], []]);
    }
  });

  it('is revoked when the session ends before there was a response', async () => {
    const events: string[] = [];
    const gate = Promise.withResolvers<CoapResponse>();
    const { ask, close, listen } = openConversation({ handle: () => gate.promise });
    await ask(last);
    close();
    gate.resolve({
      code: responseCodes.changed,
      payload: bodyOf(10),
      isSecret: true,
      onUndelivered: async () => void events.push('undelivered'),
    });
    await listen();
    assert.deepEqual(events, ['undelivered']);
  });
});
