// What a session remembers of requests, and what makes it forget, RFC 7252 §4.5.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ReplyBudget } from '../../src/message/reply-budget.ts';
import { RequestMemory } from '../../src/message/request-memory.ts';
import {
  defaultTransmissionParameters,
  type TransmissionParameters,
} from '../../src/message/transmission-parameters.ts';
import { emptyMessage, openSession, request, requestAt } from './support/session.ts';

const memoryWith = (parameters: Partial<TransmissionParameters>): RequestMemory =>
  new RequestMemory({ ...defaultTransmissionParameters, ...parameters }, new ReplyBudget());

/** Remembers a request that is answered at once. */
function answered(memory: RequestMemory, messageId: number, reply: Uint8Array): void {
  const entry = memory.begin(messageId, true, 0) ?? assert.fail('no room');
  memory.keepReply(entry, reply);
  memory.end(entry);
}

describe('RFC 7252 §4.5: the memory of requests is bounded', () => {
  it('in number: the oldest that is answered goes, what is in work stays', () => {
    const memory = memoryWith({ maximumRequests: 3 });
    const working = memory.begin(1, true, 0);
    for (const messageId of [2, 3, 4]) answered(memory, messageId, Buffer.from('reply'));
    assert.equal(memory.find(1), working);
    assert.deepEqual(
      [2, 3, 4].map((messageId) => memory.find(messageId) !== undefined),
      [false, true, true],
    );
  });

  it('in octets: the oldest that is answered goes, the newest reply stays whatever its size', () => {
    const memory = memoryWith({ maximumReplyOctets: 100 });
    for (const messageId of [1, 2, 3]) answered(memory, messageId, Buffer.alloc(40));
    assert.deepEqual(
      [1, 2, 3].map((messageId) => memory.find(messageId) !== undefined),
      [false, true, true],
    );
    answered(memory, 4, Buffer.alloc(500));
    assert.deepEqual(
      [2, 3, 4].map((messageId) => memory.find(messageId) !== undefined),
      [false, false, true],
    );
  });

  it('by time: each kind of message has its own', () => {
    const memory = memoryWith({});
    memory.begin(1, true, 0);
    memory.begin(2, false, 0);
    assert.equal(memory.nextDue, 145_000);
    memory.forgetExpired(145_000);
    assert.deepEqual([memory.find(1) !== undefined, memory.find(2), memory.nextDue], [true, undefined, 247_000]);
    memory.forgetExpired(247_000);
    assert.equal(memory.nextDue, undefined);
  });

  it('and counts as work what is in work, also when its Message ID is forgotten and used again', () => {
    const memory = memoryWith({ maximumRequests: 2 });
    const first = memory.begin(1, true, 0) ?? assert.fail();
    memory.forgetExpired(247_000);
    const again = memory.begin(1, true, 247_000) ?? assert.fail();
    assert.equal(memory.begin(2, true, 247_000), undefined);
    const late = Buffer.from('late');
    memory.keepReply(first, late);
    memory.end(first);
    assert.equal(memory.find(1), again);
    assert.equal(again.reply, undefined);
    assert.notEqual(memory.begin(2, true, 247_000), undefined);
  });

  it('whatever comes in which order', () => {
    const step = fc.record({ kind: fc.constantFrom('begin', 'end', 'wait'), id: fc.nat(8), size: fc.nat(60) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const memory = memoryWith({ maximumRequests: 4, maximumReplyOctets: 100, exchangeLifetimeMs: 100 });
        const working: NonNullable<ReturnType<typeof memory.begin>>[] = [];
        let now = 0;
        for (const { kind, id, size } of steps) {
          if (kind === 'begin' && memory.find(id) === undefined) {
            const entry = memory.begin(id, true, now);
            assert.equal(entry === undefined, working.length >= 4);
            if (entry !== undefined) working.push(entry);
          } else if (kind === 'end') {
            const entry = working.splice(id % (working.length || 1), 1)[0];
            if (entry === undefined) continue;
            memory.keepReply(entry, Buffer.alloc(size));
            memory.end(entry);
          } else {
            now += id * 5;
            memory.forgetExpired(now);
          }
          const remembered = Array.from({ length: 9 }, (_, messageId) => memory.find(messageId)).filter(Boolean);
          assert.ok(remembered.length <= 4);
          assert.ok(remembered.reduce((sum, one) => sum + (one?.reply?.length ?? 0), 0) <= 100);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('RFC 9148 §4.8: a reply may hold a private key', () => {
  it('so it is overwritten when it is forgotten, by time, for room, and at the end', () => {
    const memory = memoryWith({ maximumRequests: 1 });
    const replies = [1, 2, 3].map((octet) => Buffer.alloc(4, octet));
    for (const [index, reply] of replies.entries()) {
      answered(memory, index, reply);
      if (index === 1) memory.forgetExpired(247_000);
    }
    memory.clear();
    assert.deepEqual(
      replies.map((reply) => reply.toString('hex')),
      Array(3).fill('00000000'),
    );
  });

  it('and so is a Non-confirmable response as soon as it is sent', async () => {
    const buffers: Uint8Array[] = [];
    const sent: string[] = [];
    const send = (datagram: Uint8Array): void => {
      buffers.push(datagram);
      sent.push(Buffer.from(datagram).toString('latin1'));
    };
    const { receive, given } = openSession({ send });
    receive(request({ type: 'non' }));
    await requestAt(given, 0).answer({ payload: Buffer.from('secret') });
    assert.match(sent.join(), /secret/);
    assert.ok(buffers[0]?.every((octet) => octet === 0));
  });

  it('and so is a separate response when it is acknowledged or given up', async () => {
    const buffers: Uint8Array[] = [];
    const { receive, given, timing } = openSession({ send: (datagram) => void buffers.push(datagram) });
    for (const messageId of [1, 2]) receive(request({ messageId }));
    timing.advance(1_000);
    buffers.splice(0);
    await requestAt(given, 0).answer({ payload: Buffer.from('secret') });
    const [first] = buffers;
    assert.ok(first !== undefined && Buffer.from(first).includes('secret'));
    const messageId = Buffer.from(first).readUInt16BE(2);
    receive(emptyMessage('ack', messageId));
    assert.ok(first.every((octet) => octet === 0));
    await requestAt(given, 1).answer({ payload: Buffer.from('secret') });
    timing.advance(200_000);
    assert.ok(buffers.at(-1)?.every((octet) => octet === 0));
  });
});

describe('RFC 7252 §4.5: room comes back', () => {
  it('when a request is answered, whatever its kind', async () => {
    const { receive, given } = openSession({ parameters: { maximumRequests: 1 } });
    for (const [index, type] of (['con', 'non', 'con', 'non', 'con'] as const).entries()) {
      receive(request({ type, messageId: index }));
      await requestAt(given, index).answer();
    }
    assert.equal(given.length, 5);
  });
});
