// What becomes of a generated key in conversations that lose messages, RFC 9148 §4.7 and §4.8: block-wise transfers on the message
// layer, so that what one says of a loss is what the other acts upon.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { responseCodes } from '../../src/message/codes.ts';
import type { CoapResponse } from '../../src/request.ts';
import { emptyMessage } from '../message/support/session.ts';
import { figure, type Heard, openConversation } from './support/conversation.ts';
import { block2Of, bodyOf } from './support/session.ts';

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

/** What becomes of a datagram of the gate, and of what the client says to it. */
const fate = fc.constantFrom('lost', 'taken', 'taken, its Acknowledgement lost', 'rejected');
const act = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('asks', 'asks again', 'fetches', 'is answered') },
  { weight: 3, arbitrary: fc.constantFrom(1_000, 2_000, 10_000, 70_000, 250_000) },
);
type Act = typeof act extends fc.Arbitrary<infer Value> ? Value : never;
// The second of them begin with a response in a message of its own.
const someActs: fc.Arbitrary<readonly Act[]> = fc.array(act, { minLength: 2, maxLength: 10 });

describe('RFC 9148 §4.8: whatever is lost on the way', () => {
  it('a client that has the whole never has its certificate revoked; one that was never sent the end always has', async () => {
    const seen = { delivered: 0, undelivered: 0, whole: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(300, 300, 400, 1_300),
        fc.oneof(
          someActs,
          someActs.map((acts): readonly Act[] => ['asks', 1_000, 'is answered', ...acts]),
        ),
        fc.array(fate, { minLength: 1, maxLength: 14 }),
        fc.nat(3).map((chance) => chance === 0),
        async (octets, acts, fates, isQuick) => {
          const events: string[] = [];
          const waiting: (() => void)[] = [];
          let asked = 0;
          const handle = async (): Promise<CoapResponse> => {
            const key = ++asked;
            if (!isQuick) await new Promise<void>((resolve) => void waiting.push(resolve));
            return {
              code: responseCodes.changed,
              contentFormat: 62,
              // Each key is another one, and so has another ETag.
              payload: Buffer.alloc(octets, key),
              isSecret: true,
              onDelivered: () => void events.push(`delivered ${key}`),
              onUndelivered: async () => void events.push(`undelivered ${key}`),
            };
          };
          const { ask, hear, listen, timing, session, close } = openConversation({ handle });
          /** Octets that the client has of each key, and the keys whose last octets were sent. */
          const has = new Map<number, Set<number>>();
          const sentToTheEnd = new Set<number>();
          let script = [...fates];
          const take = async (datagrams: readonly Heard[]): Promise<void> => {
            for (const datagram of datagrams) {
              const { payload, code, type, messageId } = datagram;
              const key = payload[0] ?? 0;
              const block = block2Of(datagram);
              if (code === responseCodes.changed && block?.isMore !== true) sentToTheEnd.add(key);
              if (script.length === 0) script = [...fates];
              const next = script.shift() ?? 'lost';
              if (next === 'lost') continue;
              // Of what is piggybacked nothing is said.
              const isTaken = next !== 'rejected' || type !== 'con';
              if (isTaken && code === responseCodes.changed) {
                const offset = (block?.number ?? 0) * (16 << (block?.sizeExponent ?? 0));
                const octetsOfKey = has.get(key) ?? new Set<number>();
                for (let index = 0; index < payload.length; index++) octetsOfKey.add(offset + index);
                has.set(key, octetsOfKey);
              }
              if (type !== 'con') continue;
              if (next === 'taken') await take(await hear(emptyMessage('ack', messageId)));
              else if (next === 'rejected') await take(await hear(emptyMessage('rst', messageId)));
            }
          };
          let messageId = 0x100;
          for (const each of acts) {
            if (typeof each === 'number') {
              session.clock.advance(each);
              timing.advance(each);
            } else if (each === 'asks') await take(await ask({ ...last, messageId: ++messageId }));
            else if (each === 'asks again') await take(await ask({ ...last, messageId }));
            else if (each === 'fetches') {
              for (const number of [1, 2])
                await take(await ask({ path, block2: { number, isMore: false, sizeExponent: 5 } }));
            } else for (const go of waiting.splice(0)) go();
            await take(await listen());
          }
          close();
          for (const go of waiting.splice(0)) go();
          await listen();
          for (let key = 1; key <= asked; key++) {
            const isRevoked = events.includes(`undelivered ${key}`);
            const isWhole = has.get(key)?.size === octets;
            if (isWhole) assert.equal(isRevoked, false, `the client has key ${key}`);
            if (!sentToTheEnd.has(key)) assert.equal(isRevoked, true, `key ${key} was never sent to its end`);
            assert.ok(isRevoked || events.includes(`delivered ${key}`), `nobody was told of key ${key}`);
            seen[isRevoked ? 'undelivered' : 'delivered']++;
            if (isWhole) seen.whole++;
          }
          assert.equal(session.budget.octets, 0);
        },
      ),
      { numRuns: 800 },
    );
    assert.ok(Math.min(seen.delivered, seen.undelivered, seen.whole) > 50, JSON.stringify(seen));
  });
});
