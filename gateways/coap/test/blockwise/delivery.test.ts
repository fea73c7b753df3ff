import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { responseCodes } from '../../src/message/codes.ts';
import type { Loss } from '../../src/message/message.ts';
import type { CoapResponse } from '../../src/request.ts';
import { bodyOf, entryLifeMs, fetchRest, message, openSession, sendAll, uploadOf } from './support/session.ts';

const parts = { path: ['est', 'skg'], contentFormat: 286 };
const upload = uploadOf(bodyOf(1_100), 5, parts);
const reset: Loss = { cause: 'reset', isCertain: true };

/** A session whose handler hands out keys and records what becomes of them. */
function openKeySession(octets: number) {
  const events: string[] = [];
  const lines: string[] = [];
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
    lines,
    handle: async () => {
      events.push('asked');
      return key();
    },
  });
  const isWiped = (index: number): boolean => payloads[index - 1]?.every((octet) => octet === 0) === true;
  return { session, events, isWiped, lines };
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

  it('RFC 7252 §4.2: a message that was reset was not delivered', async () => {
    const { session, events, isWiped } = openKeySession(100);
    const answer = await sendAll(session, upload);
    answer.onUnacknowledged?.(reset);
    session.blockwise.close();
    assert.deepEqual(events, ['asked', 'undelivered 1']);
    assert(isWiped(1));
  });

  for (const cause of ['timed-out', 'closed', 'reset'] as const) {
    it(`RFC 7252 §4.2: one whose Acknowledgement may have been lost (${cause}) stands, and one line says so`, async () => {
      const { session, events, isWiped, lines } = openKeySession(100);
      const answer = await sendAll(session, upload);
      answer.onUnacknowledged?.({ cause, isCertain: false });
      session.blockwise.close();
      assert.deepEqual(events, ['asked', 'delivered 1']);
      assert(isWiped(1));
      assert.deepEqual(session.ended, ['upload complete', 'unconfirmed']);
      assert.equal(lines.length, 1);
      assert.match(
        lines[0] ?? '',
        /"level":"warn".*"requestId":"[^"]+".*delivery of a generated key was not confirmed/,
      );
    });
  }

  it('RFC 7252 §4.2: the last of several blocks without an Acknowledgement stands too', async () => {
    const { session, events } = openKeySession(1_300);
    await sendAll(session, upload);
    const last = await session.send(message({ ...parts, block2: { number: 2, isMore: false, sizeExponent: 5 } }));
    last.onUnacknowledged?.({ cause: 'timed-out', isCertain: false });
    session.blockwise.close();
    assert.deepEqual(events, ['asked', 'delivered 1']);
    assert.deepEqual(session.ended, ['upload complete', 'download unconfirmed', 'unconfirmed']);
  });

  it('RFC 7252 §4.2: and it stands when that turns out after the end', async () => {
    const { session, events, lines } = openKeySession(100);
    const answer = await sendAll(session, upload);
    session.blockwise.close();
    answer.onUnacknowledged?.({ cause: 'timed-out', isCertain: false });
    answer.onUnacknowledged?.(reset);
    assert.deepEqual(events, ['asked', 'delivered 1']);
    assert.equal(lines.length, 1);
  });

  it('RFC 7959 §2.4: a transfer that is abandoned after some of its blocks is undelivered, whatever those came to', async () => {
    const { session, events, isWiped, lines } = openKeySession(1_300);
    await sendAll(session, upload);
    await session.send(message({ ...parts, block2: { number: 1, isMore: false, sizeExponent: 5 } }));
    session.clock.advance(entryLifeMs);
    session.budget.sweep();
    assert.deepEqual(events, ['asked', 'undelivered 1']);
    assert(isWiped(1));
    assert.deepEqual(lines, []);
  });

  it('RFC 7252 §5.2.2: but it was when the client asked again and got it', async () => {
    const { session, events } = openKeySession(100);
    const answer = await sendAll(session, upload);
    answer.onUnacknowledged?.(reset);
    await sendAll(session, upload.slice(-1));
    session.blockwise.close();
    assert.deepEqual(events, ['asked', 'delivered 1']);
  });

  it('RFC 9148 §4.7: a reset of the first copy takes nothing from the one that the client asked for again', async () => {
    const { session, events } = openKeySession(100);
    const lost = await sendAll(session, upload);
    await sendAll(session, upload.slice(-1));
    lost.onUnacknowledged?.(reset);
    session.blockwise.close();
    assert.deepEqual(events, ['asked', 'delivered 1']);
  });

  it('RFC 9148 §4.7: nor does it after the end, until the other is lost as well', async () => {
    const { session, events } = openKeySession(100);
    const copies = [await sendAll(session, upload), await sendAll(session, upload.slice(-1))];
    session.blockwise.close();
    copies[0]?.onUnacknowledged?.(reset);
    assert.deepEqual(events, ['asked', 'delivered 1']);
    copies[1]?.onUnacknowledged?.(reset);
    assert.deepEqual(events, ['asked', 'delivered 1', 'undelivered 1']);
  });

  it('RFC 7252 §4.2: of two copies one that may have arrived is enough', async () => {
    const { session, events } = openKeySession(100);
    const copies = [await sendAll(session, upload), await sendAll(session, upload.slice(-1))];
    copies[0]?.onUnacknowledged?.({ cause: 'timed-out', isCertain: false });
    copies[1]?.onUnacknowledged?.(reset);
    session.blockwise.close();
    assert.deepEqual(events, ['asked', 'delivered 1']);
    assert.deepEqual(session.ended, ['upload complete', 'unconfirmed']);
  });

  it('RFC 7252 §5.2.2: it was not either when that turns out after the next request', async () => {
    const { session, events } = openKeySession(100);
    const answer = await sendAll(session, upload);
    await sendAll(session, upload);
    assert.deepEqual(events, ['asked', 'delivered 1', 'asked']);
    answer.onUnacknowledged?.(reset);
    answer.onUnacknowledged?.(reset);
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
