// Clients of every habit (coaps.md §6) on a network that loses, doubles and reorders their messages: the resource sees a
// request once and whole, or not at all, and who is told that it has an answer has the whole of it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '@gatehouse/runtime/clock';
import { createLog } from '@gatehouse/runtime/log';
import { createMetrics } from '@gatehouse/runtime/metrics';
import fc from 'fast-check';
import { createBlockwise } from '../../src/blockwise/blockwise.ts';
import { createBlockBudget } from '../../src/blockwise/budget.ts';
import { createBlockMetrics } from '../../src/blockwise/metrics.ts';
import { createMessaging } from '../../src/message/messaging.ts';
import { createMessageMetrics } from '../../src/message/metrics.ts';
import { CoapClient, type CoapClientOptions } from '../../test-support/coap-client.ts';
import type { CoapLink } from '../../test-support/coap-exchange.ts';
import { createRandom } from '../../test-support/random.ts';

const log = createLog({ name: 'test', level: 'silent' });
const metrics = createMetrics();
const messageMetrics = createMessageMetrics(metrics);
const blockMetrics = createBlockMetrics(metrics);
const clock = systemClock;

/** A part of all messages, each way. */
type Loss = { readonly seed: number; readonly lost: number; readonly doubled: number; readonly late: number };

/** Calls `deliver` now, later, twice or never. */
function network({ seed, lost, doubled, late }: Loss): (deliver: () => void) => void {
  const random = createRandom(seed);
  const happens = (part: number): boolean => random.integer(1000) < part * 1000;
  return (deliver) => {
    if (happens(lost)) return;
    for (let copy = happens(doubled) ? 2 : 1; copy > 0; copy--) {
      if (happens(late)) setTimeout(deliver, random.integer(12));
      else setImmediate(deliver);
    }
  };
}

/** What reached the resource, and a client of it. */
function connect(loss: Loss, habits: CoapClientOptions, answer: Uint8Array) {
  const bodies: Buffer[] = [];
  const travels = network(loss);
  const budget = createBlockBudget({ maximumOctets: 1 << 20, entryLifeMs: 10_000, clock, metrics: blockMetrics });
  const blockwise = createBlockwise({
    handle: async ({ payload }) => {
      bodies.push(Buffer.from(payload));
      return { code: 0x44, contentFormat: 281, payload: answer };
    },
    limits: { maximumBodyOctets: 16_384, preferredBlock: 512 },
    budget,
    maximumMessageOctets: 1200,
    clock,
    metrics: blockMetrics,
    log,
  });
  const messaging = createMessaging({
    send: (datagram) => {
      const copy = Buffer.from(datagram);
      travels(() => link.onMessage(copy));
    },
    handle: blockwise.handle,
    clock,
    log,
    metrics: messageMetrics,
    parameters: { ackTimeoutMs: 30, emptyAckAfterMs: 15 },
  });
  const link: CoapLink = {
    send: (message) => {
      const copy = Buffer.from(message);
      travels(() => messaging.receive(copy));
    },
    onMessage: () => undefined,
  };
  const client = new CoapClient(link, { ackTimeoutMs: 30, maximumRetransmissions: 6, ...habits });
  const close = (): void => {
    messaging.close();
    blockwise.close();
    budget.close();
  };
  return { client, bodies, close };
}

const sizes = fc.constantFrom(16, 32, 64, 128, 256, 512, 1024);
const habits: fc.Arbitrary<CoapClientOptions> = fc.record({
  blockSize: sizes,
  responseBlockSize: fc.option(sizes, { nil: undefined }),
  hasRequestTag: fc.boolean(),
  hasNewTokenPerBlock: fc.boolean(),
  repeatsOptions: fc.boolean(),
});
const losses: fc.Arbitrary<Loss> = fc.record({
  seed: fc.nat(),
  lost: fc.constantFrom(0, 0.1, 0.25),
  doubled: fc.constantFrom(0, 0.2),
  late: fc.constantFrom(0, 0.2),
});
const body = fc.uint8Array({ minLength: 1, maxLength: 700 });

describe('RFC 7959 §2: transfers by clients of every habit', () => {
  it('hands each request to its resource once and whole, and each answer whole to its client', async () => {
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(habits, losses, body, body, async (habit, loss, request, answer) => {
        const { client, bodies, close } = connect(loss, habit, answer);
        const response = await client
          .request({ method: 'POST', path: '/est/sen', contentFormat: 286, accept: 281, payload: request })
          // RFC 7252 §4.2: who was never acknowledged knows nothing, and asks again.
          .catch(() => undefined);
        close();
        for (const each of bodies) assert.deepEqual(each, Buffer.from(request));
        assert.ok(bodies.length <= 1, 'the resource saw one request twice');
        if (response === undefined || response.code !== '2.04') return;
        assert.equal(bodies.length, 1);
        assert.deepEqual(response.payload, Buffer.from(answer));
        assert.equal(response.contentFormat, 281);
        answered++;
      }),
      { seed: 7959, numRuns: 150 },
    );
    assert.ok(answered > 100, `only ${answered} of 150 were answered`);
  });

  it('succeeds always where nothing is lost', async () => {
    const none: Loss = { seed: 1, lost: 0, doubled: 0, late: 0 };
    await fc.assert(
      fc.asyncProperty(habits, body, body, async (habit, request, answer) => {
        const { client, close } = connect(none, habit, answer);
        const response = await client.request({
          method: 'POST',
          path: '/est/sen',
          contentFormat: 286,
          payload: request,
        });
        close();
        assert.equal(response.code, '2.04');
        assert.deepEqual(response.payload, Buffer.from(answer));
      }),
      { seed: 7252, numRuns: 100 },
    );
  });
});
