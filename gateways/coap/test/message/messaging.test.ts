// The message layer as its peer sees it, with time in the hands of the test.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatCode, methods, responseCodes } from '../../src/message/codes.ts';
import { optionNumbers } from '../../src/message/option-numbers.ts';
import { stringOption, uintOptionOf } from '../../src/message/options.ts';
import { changed, emptyMessage, only, openSession, request, requestAt } from './support/session.ts';

const text = (payload: Uint8Array): string => Buffer.from(payload).toString();

describe('RFC 7252 §5.2.1: a piggybacked response', () => {
  it('travels in the Acknowledgement, with the Message ID and the token of the request', async () => {
    const { receive, given, takeSent } = openSession();
    receive(request({ messageId: 0xabcd, token: Buffer.from('01020304', 'hex') }));
    await requestAt(given, 0).answer({ payload: Buffer.from('hello') });
    const reply = only(takeSent());
    assert.deepEqual([reply.type, reply.messageId, formatCode(reply.code)], ['ack', 0xabcd, '2.04']);
    assert.equal(Buffer.from(reply.token).toString('hex'), '01020304');
    assert.equal(text(reply.payload), 'hello');
  });

  it('hands the handler what came, and when', async () => {
    const { receive, given } = openSession();
    receive(
      request({ code: methods.get, options: [stringOption(optionNumbers.uriPath, 'est')], payload: Buffer.from('x') }),
    );
    const { request: seen } = requestAt(given, 0);
    assert.deepEqual([seen.method, seen.isConfirmable, text(seen.payload)], [methods.get, true, 'x']);
    assert.deepEqual(
      seen.options.map(({ number, value }) => [number, text(value)]),
      [[11, 'est']],
    );
    assert.equal(seen.receivedAt.toISOString(), '2026-01-01T00:00:00.000Z');
  });

  it('is 5.00 with one line in the log when the handler throws', async () => {
    const { receive, given, takeSent, lines } = openSession();
    receive(request());
    await requestAt(given, 0).fail(new Error('the cause'));
    assert.equal(only(takeSent()).code, responseCodes.internalServerError);
    assert.equal(lines.length, 1);
    assert.match(JSON.stringify(lines[0]), /the cause/);
  });
});

describe('RFC 7252 §4.5: message deduplication', () => {
  it('answers a duplicate with the same octets, and the handler once', async () => {
    const { receive, given, takeSent } = openSession();
    receive(request());
    await requestAt(given, 0).answer();
    const first = only(takeSent());
    receive(request());
    assert.deepEqual(only(takeSent()), first);
    assert.equal(given.length, 1);
  });

  it('says nothing to a duplicate while the request is in work', () => {
    const { receive, given, takeSent } = openSession();
    receive(request());
    receive(request());
    assert.equal(given.length, 1);
    assert.deepEqual(takeSent(), []);
  });

  it('acknowledges a duplicate again after the empty Acknowledgement, also when the response has been delivered, §5.2.2', async () => {
    const { receive, given, takeSent, timing } = openSession();
    receive(request({ messageId: 9 }));
    timing.advance(1_000);
    takeSent();
    receive(request({ messageId: 9 }));
    assert.deepEqual(only(takeSent()), emptyMessage('ack', 9));
    await requestAt(given, 0).answer();
    const response = only(takeSent());
    receive(emptyMessage('ack', response.messageId));
    receive(request({ messageId: 9 }));
    assert.deepEqual(only(takeSent()), emptyMessage('ack', 9));
    assert.equal(given.length, 1);
  });

  it('forgets a Confirmable request after EXCHANGE_LIFETIME, §4.8.2', async () => {
    const { receive, given, takeSent, timing } = openSession();
    receive(request());
    await requestAt(given, 0).answer();
    timing.advance(246_999);
    receive(request());
    assert.equal(given.length, 1);
    assert.equal(takeSent().length, 2);
    timing.advance(1);
    receive(request());
    assert.equal(given.length, 2);
  });

  it('forgets a Non-confirmable request after NON_LIFETIME, §4.8.2', async () => {
    const { receive, given, timing } = openSession();
    receive(request({ type: 'non' }));
    await requestAt(given, 0).answer();
    timing.advance(144_999);
    receive(request({ type: 'non' }));
    assert.equal(given.length, 1);
    timing.advance(1);
    receive(request({ type: 'non' }));
    assert.equal(given.length, 2);
  });
});

describe('RFC 7252 §5.2.2: a separate response', () => {
  it('comes after an empty Acknowledgement when the handler takes longer than a second', async () => {
    const { receive, given, takeSent, timing } = openSession();
    receive(request({ messageId: 5 }));
    timing.advance(999);
    assert.deepEqual(takeSent(), []);
    timing.advance(1);
    assert.deepEqual(only(takeSent()), emptyMessage('ack', 5));
    await requestAt(given, 0).answer({ payload: Buffer.from('late') });
    const response = only(takeSent());
    assert.deepEqual([response.type, text(response.payload), ...response.token], ['con', 'late', 7]);
  });

  it('acknowledges each slow request at its own time', () => {
    const { receive, takeSent, timing } = openSession();
    receive(request({ messageId: 1 }));
    timing.advance(600);
    receive(request({ messageId: 2 }));
    timing.advance(400);
    assert.deepEqual(only(takeSent()), emptyMessage('ack', 1));
    timing.advance(600);
    assert.deepEqual(only(takeSent()), emptyMessage('ack', 2));
  });

  it('takes a new Message ID for each', async () => {
    const { receive, given, takeSent, timing } = openSession();
    const ids = new Set<number>();
    for (const messageId of [1, 2, 3]) {
      receive(request({ messageId }));
      timing.advance(1_000);
      takeSent();
      await requestAt(given, messageId - 1).answer();
      const response = only(takeSent());
      receive(emptyMessage('ack', response.messageId));
      ids.add(response.messageId);
    }
    assert.equal(ids.size, 3);
  });
});

describe('RFC 7252 §5.2.3: a Non-confirmable request', () => {
  it('is answered by a Non-confirmable message, however long that takes', async () => {
    const { receive, given, takeSent, timing } = openSession();
    receive(request({ type: 'non', messageId: 3 }));
    timing.advance(5_000);
    assert.deepEqual(takeSent(), []);
    await requestAt(given, 0).answer();
    const response = only(takeSent());
    assert.deepEqual([response.type, formatCode(response.code), ...response.token], ['non', '2.04', 7]);
    timing.advance(100_000);
    assert.deepEqual(takeSent(), []);
  });

  it('is handled once: a duplicate gets nothing, §4.5', async () => {
    const { receive, given, takeSent } = openSession();
    receive(request({ type: 'non' }));
    await requestAt(given, 0).answer();
    takeSent();
    receive(request({ type: 'non' }));
    assert.equal(given.length, 1);
    assert.deepEqual(takeSent(), []);
  });
});

describe('RFC 7252 §4.2 and §4.3: messages that make no sense', () => {
  it('resets an Empty Confirmable message, as a ping', () => {
    const { receive, takeSent } = openSession();
    receive(emptyMessage('con', 77));
    assert.deepEqual(only(takeSent()), emptyMessage('rst', 77));
  });

  it('resets a Confirmable response, of which it knows nothing, and passes over a Non-confirmable one', () => {
    const { receive, takeSent } = openSession();
    receive(request({ code: responseCodes.content, messageId: 78 }));
    assert.deepEqual(only(takeSent()), emptyMessage('rst', 78));
    receive(request({ type: 'non', code: responseCodes.content }));
    receive(emptyMessage('non', 79));
    assert.deepEqual(takeSent(), []);
  });

  it('resets a Confirmable message with a format error, and passes over all others', () => {
    const { messaging, takeSent } = openSession();
    messaging.receive(Buffer.from('4001beefff', 'hex'));
    assert.deepEqual(only(takeSent()), emptyMessage('rst', 0xbeef));
    for (const first of ['50', '60', '70']) messaging.receive(Buffer.from(`${first}01beefff`, 'hex'));
    messaging.receive(Buffer.from('8001beef', 'hex'));
    messaging.receive(Buffer.from('4001be', 'hex'));
    assert.deepEqual(takeSent(), []);
  });

  it('answers no Acknowledgement and no Reset that matches nothing', () => {
    const { receive, takeSent } = openSession();
    receive(emptyMessage('ack', 1));
    receive(emptyMessage('rst', 1));
    receive(request({ type: 'ack', code: methods.get }));
    receive(request({ type: 'rst', code: methods.get }));
    assert.deepEqual(takeSent(), []);
  });

  it('logs the first of a kind and counts the others', () => {
    const { messaging, lines } = openSession();
    for (let count = 0; count < 100; count++) messaging.receive(Buffer.from('4001beefff', 'hex'));
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.cause, 'format');
  });
});

describe('RFC 7252 §5.4: options of requests', () => {
  it('refuses an unknown critical option with 4.02 and its number, §5.4.1', () => {
    const { receive, given, takeSent } = openSession();
    receive(request({ options: [{ number: 9, value: Uint8Array.of(1) }] }));
    const reply = only(takeSent());
    assert.deepEqual([reply.type, formatCode(reply.code), text(reply.payload)], ['ack', '4.02', 'option 9 (OSCORE)']);
    receive(request({ messageId: 2, options: [{ number: 65_001, value: Uint8Array.of(1) }] }));
    assert.equal(text(only(takeSent()).payload), 'option 65001');
    assert.equal(given.length, 0);
  });

  it('passes over a Non-confirmable request with one, §5.4.1', () => {
    const { receive, given, takeSent } = openSession();
    receive(request({ type: 'non', options: [{ number: 9, value: Uint8Array.of(1) }] }));
    assert.deepEqual(takeSent(), []);
    assert.equal(given.length, 0);
  });

  it('is no proxy: 5.05, §5.10.2', () => {
    const { receive, given, takeSent } = openSession();
    receive(request({ options: [stringOption(optionNumbers.proxyScheme, 'coap')] }));
    assert.equal(formatCode(only(takeSent()).code), '5.05');
    receive(request({ type: 'non', messageId: 2, options: [stringOption(optionNumbers.proxyUri, 'coap://a/')] }));
    const reply = only(takeSent());
    assert.deepEqual([reply.type, formatCode(reply.code)], ['non', '5.05']);
    assert.equal(given.length, 0);
  });

  it('lets the handler say what it understands', () => {
    const { receive, given } = openSession({ understoodOptions: new Set([9]) });
    receive(request({ options: [{ number: 9, value: Uint8Array.of(1) }] }));
    assert.equal(given.length, 1);
  });
});

describe('RFC 7252 §11.3: what a peer can make a session remember', () => {
  it('answers 5.03 with Max-Age when so many requests are in work, and takes one when there is room', async () => {
    const { receive, given, takeSent } = openSession({ parameters: { maximumRequests: 2, busyMaxAgeSeconds: 9 } });
    for (const messageId of [1, 2, 3]) receive(request({ messageId }));
    const refusal = only(takeSent());
    assert.deepEqual([refusal.messageId, formatCode(refusal.code)], [3, '5.03']);
    assert.equal(uintOptionOf(refusal, optionNumbers.maxAge), 9);
    receive(request({ type: 'non', messageId: 4 }));
    assert.deepEqual([only(takeSent()).type, given.length], ['non', 2]);
    await requestAt(given, 0).answer();
    receive(request({ messageId: 3 }));
    assert.equal(given.length, 3);
  });

  it('counts a separate response that nobody has acknowledged as work', async () => {
    const { receive, given, takeSent, timing } = openSession({ parameters: { maximumRequests: 1 } });
    receive(request({ messageId: 1 }));
    timing.advance(1_000);
    await requestAt(given, 0).answer();
    const [, response] = takeSent();
    receive(request({ messageId: 2 }));
    assert.equal(formatCode(only(takeSent()).code), '5.03');
    receive(emptyMessage('ack', response?.messageId ?? -1));
    receive(request({ messageId: 2 }));
    assert.equal(given.length, 2);
  });

  it('has one timer at most, and none when nothing is remembered', async () => {
    const { receive, given, timing } = openSession();
    assert.equal(timing.pending, 0);
    for (let messageId = 0; messageId < 50; messageId++) receive(request({ messageId }));
    assert.equal(timing.pending, 1);
    for (const one of given) await one.answer();
    assert.equal(timing.pending, 1);
    timing.advance(247_000);
    assert.equal(timing.pending, 0);
  });
});

describe('a session that ends', () => {
  it('sends nothing more and says so of what the handler answers afterwards', async () => {
    const { messaging, receive, given, takeSent, timing, lines } = openSession();
    let unacknowledged = 0;
    receive(request());
    messaging.close();
    messaging.close();
    receive(request({ messageId: 2 }));
    await requestAt(given, 0).answer(changed('late', { onUnacknowledged: () => void unacknowledged++ }));
    timing.advance(300_000);
    assert.deepEqual([unacknowledged, given.length, takeSent().length, timing.pending], [1, 1, 0, 0]);
    assert.equal(lines.length, 1);
  });

  it('survives what the callback throws', async () => {
    const { messaging, receive, given, lines } = openSession();
    receive(request());
    messaging.close();
    const onUnacknowledged = (): void => {
      throw new Error('the cause');
    };
    await requestAt(given, 0).answer({ onUnacknowledged });
    assert.match(JSON.stringify(lines), /the cause/);
  });
});
