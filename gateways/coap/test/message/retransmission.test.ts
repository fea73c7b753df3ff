// Confirmable messages of our own, RFC 7252 §4.2 and §4.7: when they are sent again, in which order, and what becomes of them.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { methods, responseCodes } from '../../src/message/codes.ts';
import type { CoapMessage } from '../../src/message/message.ts';
import type { TransmissionParameters } from '../../src/message/transmission-parameters.ts';
import { changed, emptyMessage, only, openSession, request, requestAt } from './support/session.ts';

/** A session with separate responses, none of them acknowledged. */
async function withSeparateResponses(count: number, parameters: Partial<TransmissionParameters> = {}) {
  const session = openSession({ parameters: { ackRandomFactor: 1, ...parameters } });
  const unacknowledged: number[] = [];
  for (let messageId = 1; messageId <= count; messageId++) session.receive(request({ messageId }));
  session.timing.advance(1_000);
  assert.equal(session.takeSent().length, count);
  for (let index = 0; index < count; index++) {
    await requestAt(session.given, index).answer(
      changed(`response ${index}`, { onUnacknowledged: () => void unacknowledged.push(index) }),
    );
  }
  return { ...session, unacknowledged };
}

const textOf = (message: CoapMessage): string => Buffer.from(message.payload).toString();

describe('RFC 7252 §4.2: retransmission', () => {
  it('sends a response again after 2, 4, 8 and 16 seconds, gives it up after 32 more, and says so once', async () => {
    const { timing, takeSent, unacknowledged, lines } = await withSeparateResponses(1);
    const first = only(takeSent());
    for (const seconds of [2, 4, 8, 16]) {
      timing.advance(seconds * 1_000 - 1);
      assert.deepEqual(takeSent(), []);
      timing.advance(1);
      assert.deepEqual(only(takeSent()), first);
    }
    timing.advance(31_999);
    assert.deepEqual(unacknowledged, []);
    timing.advance(1);
    assert.deepEqual([unacknowledged, takeSent()], [[0], []]);
    timing.advance(300_000);
    assert.deepEqual([unacknowledged, takeSent(), timing.pending], [[0], [], 0]);
    assert.equal(lines[0]?.cause, 'timed-out');
  });

  it('waits between ACK_TIMEOUT and ACK_TIMEOUT × ACK_RANDOM_FACTOR first, and not the same each time', async () => {
    const waits = new Set<number>();
    for (let count = 0; count < 20; count++) {
      const { timing, takeSent } = await withSeparateResponses(1, { ackRandomFactor: 1.5 });
      takeSent();
      const sentAt = timing.now();
      while (takeSent().length === 0) timing.advance(10);
      const wait = timing.now() - sentAt;
      assert.ok(wait >= 2_000 && wait <= 3_010, `${wait} ms`);
      waits.add(wait);
    }
    assert.ok(waits.size > 1);
  });

  it('ends with an Acknowledgement, also one that carries a Response Code, §5.2.2', async () => {
    for (const code of [0, responseCodes.content]) {
      const { timing, receive, takeSent, unacknowledged } = await withSeparateResponses(1);
      const { messageId } = only(takeSent());
      receive({ ...emptyMessage('ack', messageId), code });
      timing.advance(300_000);
      assert.deepEqual([unacknowledged, takeSent()], [[], []]);
    }
  });

  it('goes on after an Acknowledgement of another message, one with a request, or a Reset that is not Empty', async () => {
    const { timing, receive, takeSent } = await withSeparateResponses(1);
    const { messageId } = only(takeSent());
    receive(emptyMessage('ack', (messageId + 1) & 0xffff));
    receive(request({ type: 'ack', messageId, code: methods.get }));
    receive(request({ type: 'rst', messageId, code: methods.get }));
    timing.advance(2_000);
    assert.equal(only(takeSent()).messageId, messageId);
  });

  it('ends with a Reset, and the response is unacknowledged', async () => {
    const { timing, receive, takeSent, unacknowledged } = await withSeparateResponses(1);
    const { messageId } = only(takeSent());
    receive(emptyMessage('rst', messageId));
    receive(emptyMessage('rst', messageId));
    assert.deepEqual(unacknowledged, [0]);
    timing.advance(300_000);
    assert.deepEqual([unacknowledged, takeSent()], [[0], []]);
  });

  it('goes on when an Acknowledgement was lost, and takes the next one', async () => {
    const { timing, receive, takeSent, unacknowledged } = await withSeparateResponses(1);
    const { messageId } = only(takeSent());
    timing.advance(6_000);
    assert.equal(takeSent().length, 2);
    receive(emptyMessage('ack', messageId));
    receive(emptyMessage('ack', messageId));
    timing.advance(300_000);
    assert.deepEqual([unacknowledged, takeSent()], [[], []]);
  });
});

describe('RFC 7252 §4.7: NSTART is 1', () => {
  it('sends the next response when the one before is acknowledged, in the order of the answers', async () => {
    const { receive, takeSent, timing, unacknowledged } = await withSeparateResponses(3);
    for (const index of [0, 1, 2]) {
      const message = only(takeSent());
      assert.equal(textOf(message), `response ${index}`);
      receive(emptyMessage('ack', message.messageId));
    }
    timing.advance(300_000);
    assert.deepEqual([takeSent(), unacknowledged], [[], []]);
  });

  it('sends the next response when the one before is reset or given up', async () => {
    const { receive, takeSent, timing, unacknowledged } = await withSeparateResponses(3);
    receive(emptyMessage('rst', only(takeSent()).messageId));
    assert.equal(textOf(only(takeSent())), 'response 1');
    timing.advance(62_000);
    assert.deepEqual(takeSent().map(textOf), [...Array(4).fill('response 1'), 'response 2']);
    assert.deepEqual(unacknowledged, [0, 1]);
  });

  it('does not hold up piggybacked responses and Acknowledgements behind a response in flight', async () => {
    const { receive, takeSent, given } = await withSeparateResponses(1);
    takeSent();
    receive(request({ messageId: 50 }));
    await requestAt(given, 1).answer();
    const reply = only(takeSent());
    assert.deepEqual([reply.type, reply.messageId], ['ack', 50]);
  });

  it('tells of each response once, whatever came of those before, when the session ends', async () => {
    const { messaging, takeSent, timing, receive, unacknowledged } = await withSeparateResponses(4);
    receive(emptyMessage('ack', only(takeSent()).messageId));
    receive(emptyMessage('rst', only(takeSent()).messageId));
    takeSent();
    messaging.close();
    messaging.close();
    timing.advance(300_000);
    assert.deepEqual([unacknowledged, takeSent(), timing.pending], [[1, 2, 3], [], 0]);
  });

  it('may be closed by whoever is told that a response is unacknowledged', async () => {
    const session = openSession();
    let unacknowledged = 0;
    const onUnacknowledged = (): void => {
      unacknowledged++;
      session.messaging.close();
    };
    for (const messageId of [1, 2]) session.receive(request({ messageId }));
    session.timing.advance(1_000);
    session.takeSent();
    await requestAt(session.given, 0).answer({ onUnacknowledged });
    await requestAt(session.given, 1).answer({ onUnacknowledged });
    session.receive(emptyMessage('rst', only(session.takeSent()).messageId));
    assert.deepEqual([unacknowledged, session.takeSent(), session.timing.pending], [2, [], 0]);
  });
});

describe('RFC 7252 §4.2: each response is settled once', () => {
  it('whatever the peer sends, and whenever the session ends', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('ack' as const) }),
      fc.record({ kind: fc.constant('rst' as const) }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 70_000 }) }),
      fc.record({ kind: fc.constant('close' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 12 }), async (count, steps) => {
        const session = await withSeparateResponses(count);
        let last = session.takeSent().at(-1);
        const acknowledged = new Set<number>();
        let isClosed = false;
        for (const one of steps) {
          if (one.kind === 'wait') session.timing.advance(one.ms);
          else if (one.kind === 'close') session.messaging.close();
          else if (last !== undefined) session.receive(emptyMessage(one.kind, last.messageId));
          isClosed ||= one.kind === 'close';
          if (one.kind === 'ack' && last !== undefined && !isClosed) {
            const index = Number(textOf(last).split(' ').at(-1));
            if (!session.unacknowledged.includes(index)) acknowledged.add(index);
          }
          last = session.takeSent().at(-1) ?? last;
        }
        session.messaging.close();
        assert.equal(new Set(session.unacknowledged).size, session.unacknowledged.length);
        assert.equal(acknowledged.size + session.unacknowledged.length, count);
      }),
      { numRuns: 200 },
    );
  });
});
