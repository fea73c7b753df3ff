// The message layer against a peer that sends whatever it likes: it never throws, never says more than it was told, and works
// for honest requests as before.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeMessage } from '../../src/message/codec.ts';
import type { Loss } from '../../src/message/message.ts';
import { optionNumbers } from '../../src/message/option-numbers.ts';
import { uintOption } from '../../src/message/options.ts';
import { arbitraryMessage } from './support/arbitraries.ts';
import { emptyMessage, only, openSession, request, requestAt } from './support/session.ts';

// Few Message IDs, so that messages meet.
const messageId = fc.nat(4);
const hostileDatagram = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.tuple(arbitraryMessage, messageId).map(([message, id]) => encodeMessage({ ...message, messageId: id })),
  fc
    .tuple(fc.constantFrom('con', 'non'), messageId)
    .map(([type, id]) => encodeMessage(request({ type, messageId: id }))),
  fc
    .tuple(fc.constantFrom('con', 'non', 'ack', 'rst'), fc.nat(0xffff))
    .map(([type, id]) => encodeMessage(emptyMessage(type, id))),
);

describe('RFC 7252 §11: a hostile peer', () => {
  it('gets at most one datagram at once for each of its own, and one timer in all, and makes nothing throw', () => {
    fc.assert(
      fc.property(fc.array(hostileDatagram, { maxLength: 40 }), (datagrams) => {
        const { messaging, given, takeSent, timing } = openSession({ parameters: { maximumRequests: 3 } });
        for (const datagram of datagrams) {
          messaging.receive(datagram);
          assert.ok(takeSent().length <= 1);
          assert.ok(timing.pending <= 1);
        }
        assert.ok(given.length <= 3);
        timing.advance(1_000);
        assert.ok(takeSent().length <= 3);
        messaging.close();
        assert.equal(timing.pending, 0);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps no honest request of the same session from its answer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(hostileDatagram, { maxLength: 20 }), async (datagrams) => {
        const { messaging, receive, given, takeSent } = openSession();
        for (const datagram of datagrams) messaging.receive(datagram);
        takeSent();
        receive(request({ messageId: 0xfff0, token: Uint8Array.of(1, 2, 3) }));
        await requestAt(given, given.length - 1).answer({ payload: Buffer.from('honest') });
        const reply = only(takeSent());
        assert.deepEqual(
          [reply.messageId, [...reply.token], Buffer.from(reply.payload).toString()],
          [0xfff0, [1, 2, 3], 'honest'],
        );
      }),
      { numRuns: 200 },
    );
  });
});

describe('libcoap 4.3.1', () => {
  it('says Uri-Port where the port is not 5684: that is understood, RFC 7252 §5.10.1', () => {
    const { receive, given } = openSession();
    receive(request({ options: [uintOption(optionNumbers.uriPort, 15_684)] }));
    assert.equal(given.length, 1);
  });

  it('ends as soon as it has its response: of what it did not acknowledge then nobody can say that it was lost', async () => {
    const { messaging, receive, given, takeSent, timing } = openSession();
    const losses: Loss[] = [];
    receive(request());
    timing.advance(1_000);
    takeSent();
    await requestAt(given, 0).answer({ onUnacknowledged: (loss) => void losses.push(loss) });
    assert.equal(only(takeSent()).type, 'con');
    messaging.close();
    assert.deepEqual(losses, [{ cause: 'closed', isCertain: false }]);
  });
});
