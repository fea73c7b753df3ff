// What is known of responses that were not acknowledged, and of those that could never be sent, RFC 7252 §4.2 and §5.2.2.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { formatCode } from '../../src/message/codes.ts';
import type { Loss, ResponseMessage } from '../../src/message/message.ts';
import type { MessagingOptions } from '../../src/message/messaging.ts';
import { ReplyBudget, rememberedOctets } from '../../src/message/reply-budget.ts';
import { changed, emptyMessage, only, openSession, request, requestAt } from './support/session.ts';

/** A session with so many responses to be sent separately, and what is said of them. */
async function withSeparateResponses(count: number) {
  const session = openSession({ parameters: { ackRandomFactor: 1 } });
  const losses: [index: number, loss: Loss][] = [];
  for (let messageId = 1; messageId <= count; messageId++) session.receive(request({ messageId }));
  session.timing.advance(1_000);
  session.takeSent();
  for (let index = 0; index < count; index++) {
    const onUnacknowledged = (loss: Loss): void => void losses.push([index, loss]);
    await requestAt(session.given, index).answer(changed('response', { onUnacknowledged }));
  }
  return { ...session, losses };
}

describe('RFC 7252 §4.2: whether a response that was not acknowledged may have arrived', () => {
  it('certainly not when it was sent once and reset', async () => {
    const { receive, takeSent, losses } = await withSeparateResponses(1);
    receive(emptyMessage('rst', only(takeSent()).messageId));
    assert.deepEqual(losses, [[0, { cause: 'reset', isCertain: true }]]);
  });

  it('perhaps when a repetition was reset: the peer may have taken the first and forgotten it', async () => {
    const { receive, takeSent, timing, losses } = await withSeparateResponses(1);
    timing.advance(2_000);
    const [{ messageId } = assert.fail(), ...repetitions] = takeSent();
    assert.equal(repetitions.length, 1);
    receive(emptyMessage('rst', messageId));
    assert.deepEqual(losses, [[0, { cause: 'reset', isCertain: false }]]);
  });

  it('perhaps when all repetitions are used up', async () => {
    const { timing, losses } = await withSeparateResponses(1);
    timing.advance(62_000);
    assert.deepEqual(losses, [[0, { cause: 'timed-out', isCertain: false }]]);
  });

  it('perhaps when the session ends first; certainly not where it still waited for its turn', async () => {
    const { messaging, losses } = await withSeparateResponses(2);
    messaging.close();
    assert.deepEqual(losses, [
      [0, { cause: 'closed', isCertain: false }],
      [1, { cause: 'closed', isCertain: true }],
    ]);
  });

  it('certainly not when the session ended before there was a response', async () => {
    const { messaging, receive, given } = openSession();
    const losses: Loss[] = [];
    receive(request());
    messaging.close();
    await requestAt(given, 0).answer({ onUnacknowledged: (loss) => void losses.push(loss) });
    assert.deepEqual(losses, [{ cause: 'closed', isCertain: true }]);
  });
});

describe('RFC 7252 §5.2: a response that cannot be sent', () => {
  const tooLong: Partial<ResponseMessage> = { payload: Buffer.alloc(200) };
  const unwritable: Partial<ResponseMessage> = { options: [{ number: Number.NaN, value: Buffer.alloc(70_000) }] };
  const bounded: Partial<MessagingOptions> = { maximumMessageOctets: 128 };

  for (const [what, response] of Object.entries({ 'too long for a datagram': tooLong, 'not writable': unwritable })) {
    for (const kind of ['piggybacked', 'separate', 'non-confirmable'] as const) {
      it(`is 5.00, said once, when it is ${kind} and ${what}`, async () => {
        const { receive, given, takeSent, timing, lines } = openSession(bounded);
        const losses: Loss[] = [];
        receive(request({ type: kind === 'non-confirmable' ? 'non' : 'con' }));
        if (kind === 'separate') timing.advance(1_000);
        takeSent();
        const onUnacknowledged = (loss: Loss): void => void losses.push(loss);
        await requestAt(given, 0).answer({ ...response, onUnacknowledged });
        const sent = only(takeSent());
        const type = { piggybacked: 'ack', separate: 'con', 'non-confirmable': 'non' }[kind];
        assert.deepEqual([formatCode(sent.code), sent.type], ['5.00', type]);
        assert.deepEqual(losses, [{ cause: 'failed', isCertain: true }]);
        if (kind === 'separate') receive(emptyMessage('ack', sent.messageId));
        assert.match(JSON.stringify(lines), /a request could not be answered/);
      });
    }
  }

  it('is as good as lost when the transport throws: one line, and what is remembered stays right', async () => {
    let isBroken = true;
    const sent: Uint8Array[] = [];
    const send = (datagram: Uint8Array): void => {
      if (isBroken) throw new Error('the transport is broken');
      sent.push(Uint8Array.from(datagram));
    };
    const { receive, given, timing, lines } = openSession({ send, parameters: { ackRandomFactor: 1 } });
    receive(request({ messageId: 1 }));
    await requestAt(given, 0).answer();
    receive(request({ messageId: 2 }));
    timing.advance(1_000);
    await requestAt(given, 1).answer();
    isBroken = false;
    receive(request({ messageId: 1 }));
    timing.advance(2_000);
    assert.deepEqual(
      sent.map((datagram) => (datagram[0] ?? 0) >> 4),
      [0b0110, 0b0100],
      'the stored Acknowledgement, and the separate response again',
    );
    assert.equal(lines.filter(({ msg }) => msg === 'a datagram could not be sent').length, 1);
  });
});

describe('RFC 7252 §4.5: what all sessions remember together is bounded', () => {
  const replyOctets = 4 + 1 + 1 + 4;
  const each = rememberedOctets + replyOctets;

  it('the oldest answer of whatever session goes first, what is in work stays, and a session that ends gives back', async () => {
    const replyBudget = new ReplyBudget(2 * each);
    const [one, other] = [openSession({ replyBudget }), openSession({ replyBudget })];
    const answer = async (session: typeof one, messageId: number): Promise<void> => {
      session.receive(request({ messageId }));
      await requestAt(session.given, session.given.length - 1).answer();
    };
    other.receive(request({ messageId: 9 }));
    await answer(one, 1);
    await answer(one, 2);
    assert.equal(replyBudget.octets, 2 * each);
    await answer(other, 1);
    assert.equal(replyBudget.octets, 2 * each);
    // What is forgotten is a new request, what is remembered is not.
    other.receive(request({ messageId: 1 }));
    other.receive(request({ messageId: 9 }));
    one.receive(request({ messageId: 2 }));
    one.receive(request({ messageId: 1 }));
    await setImmediate();
    assert.deepEqual([one.given.length, other.given.length], [3, 2]);
    other.messaging.close();
    assert.equal(replyBudget.octets, each);
    one.messaging.close();
    assert.equal(replyBudget.octets, 0);
  });

  it('a reply that is larger than all of it is kept until the next', () => {
    const budget = new ReplyBudget(1_000);
    const forgotten: string[] = [];
    budget.take(5_000, () => void forgotten.push('large'));
    assert.equal(forgotten.length, 0);
    const giveBack = budget.take(10, () => void forgotten.push('small'));
    assert.deepEqual([forgotten.join(), budget.octets], ['large', rememberedOctets + 10]);
    giveBack();
    giveBack();
    assert.equal(budget.octets, 0);
  });

  it('time frees it too', async () => {
    const replyBudget = new ReplyBudget();
    const { receive, given, timing } = openSession({ replyBudget });
    receive(request());
    await requestAt(given, 0).answer();
    assert.equal(replyBudget.octets, each);
    timing.advance(247_000);
    assert.equal(replyBudget.octets, 0);
  });
});
