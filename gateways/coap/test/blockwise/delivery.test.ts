import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { responseCodes } from '../../src/message/codes.ts';
import type { CoapResponse } from '../../src/request.ts';
import { bodyOf, entryLifeMs, fetchRest, message, openSession, sendAll, uploadOf } from './support/session.ts';

const parts = { path: ['est', 'skg'], contentFormat: 286 };
const upload = uploadOf(bodyOf(100), 2, parts);

/** A session whose handler hands out keys and records what becomes of them. */
function openKeySession(octets: number) {
  const events: string[] = [];
  const payloads: Buffer[] = [];
  const key = (): CoapResponse => {
    const payload = bodyOf(octets);
    const index = payloads.push(payload);
    return {
      code: responseCodes.changed,
      contentFormat: 62,
      payload,
      isSecret: true,
      onDelivered: () => {
        events.push(`delivered ${index}`);
      },
      onUndelivered: async () => {
        events.push(`undelivered ${index}`);
      },
    };
  };
  const session = openSession({
    handle: async () => {
      events.push('asked');
      return key();
    },
  });
  const isWiped = (index: number): boolean => payloads[index - 1]?.every((octet) => octet === 0) === true;
  return { session, events, isWiped };
}

describe('RFC 9148 §4.8: a key is delivered with its last block, or not at all', () => {
  it('RFC 7959 §2.4: fetched to the end and then forgotten is delivered, and the key is overwritten', async () => {
    const { session, events, isWiped } = openKeySession(1_300);
    const fetched = await fetchRest(session, await sendAll(session, upload), parts);
    assert.deepEqual(fetched, bodyOf(1_300));
    assert.deepEqual(events, ['asked']);
    session.clock.advance(entryLifeMs);
    session.budget.sweep();
    assert.deepEqual(events, ['asked', 'delivered 1']);
    assert(isWiped(1));
    assert.deepEqual(session.ended, ['upload complete', 'download complete']);
  });

  it('RFC 7959 §2.4: not fetched to the end is undelivered when its time is over, and the key is overwritten', async () => {
    const { session, events, isWiped } = openKeySession(1_300);
    await sendAll(session, upload);
    session.clock.advance(entryLifeMs);
    session.budget.sweep();
    assert.deepEqual(events, ['asked', 'undelivered 1']);
    assert(isWiped(1));
  });

  it('RFC 7959 §2.4: not fetched to the end is undelivered when the session ends', async () => {
    const { session, events, isWiped } = openKeySession(1_300);
    await sendAll(session, upload);
    session.blockwise.close();
    assert.deepEqual(events, ['asked', 'undelivered 1']);
    assert(isWiped(1));
    assert.equal(session.budget.octets, 0);
  });

  it('coaps.md §3: the same resource asked anew: the keeper hears of the old key before the new one is made', async () => {
    const { session, events } = openKeySession(1_300);
    await sendAll(session, upload);
    await sendAll(session, upload);
    assert.deepEqual(events, ['asked', 'undelivered 1', 'asked']);
  });

  it('RFC 7252 §5.2.2: a message that was never acknowledged was not delivered', async () => {
    const { session, events } = openKeySession(100);
    const answer = await sendAll(session, upload);
    answer.onUndelivered?.();
    session.blockwise.close();
    assert.deepEqual(events, ['asked', 'undelivered 1']);
  });

  it('RFC 7252 §5.2.2: but it was when the client asked again and got it', async () => {
    const { session, events } = openKeySession(100);
    const answer = await sendAll(session, upload);
    answer.onUndelivered?.();
    await sendAll(session, upload.slice(-1));
    session.blockwise.close();
    assert.deepEqual(events, ['asked', 'delivered 1']);
  });

  it('RFC 7252 §5.2.2: it was not either when that turns out after the next request', async () => {
    const { session, events } = openKeySession(100);
    const answer = await sendAll(session, upload);
    await sendAll(session, upload);
    assert.deepEqual(events, ['asked', 'delivered 1', 'asked']);
    answer.onUndelivered?.();
    answer.onUndelivered?.();
    assert.deepEqual(events, ['asked', 'delivered 1', 'asked', 'undelivered 1']);
  });

  it('coaps.md §5: a message that waits for its turn is not overwritten with the key', async () => {
    const { session } = openKeySession(100);
    const answer = await sendAll(session, upload);
    session.blockwise.close();
    assert.deepEqual(Buffer.from(answer.payload), bodyOf(100));
  });

  it('coaps.md §3: an answer that comes after the session has ended is undelivered', async () => {
    const asked = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const events: string[] = [];
    const payload = bodyOf(1_300);
    const session = openSession({
      handle: async () => {
        asked.resolve();
        await gate.promise;
        return {
          code: responseCodes.changed,
          payload,
          isSecret: true,
          onUndelivered: async () => {
            events.push('undelivered');
          },
        };
      },
    });
    const answer = sendAll(session, upload);
    await asked.promise;
    session.blockwise.close();
    gate.resolve();
    await answer;
    assert.deepEqual(events, ['undelivered']);
    assert(payload.every((octet) => octet === 0));
    assert.equal(session.budget.octets, 0);
  });

  it('coaps.md §5: a keeper that fails disturbs nobody', async () => {
    const session = openSession({
      handle: async () => ({
        code: responseCodes.content,
        payload: bodyOf(10),
        onUndelivered: () => Promise.reject(new Error('keeper')),
        onDelivered: () => {
          throw new Error('keeper');
        },
      }),
    });
    await session.send(message(parts));
    assert.equal((await session.send(message(parts))).code, responseCodes.content);
    session.blockwise.close();
  });
});
