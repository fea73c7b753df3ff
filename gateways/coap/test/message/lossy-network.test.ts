// The message layer against a model of a client, across networks that lose, repeat, delay and reorder datagrams, with handlers
// that take anything from no time to minutes.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { live, type PlannedRequest } from './support/lossy-world.ts';

const handlerMs = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1_200 }), fc.integer({ min: 1, max: 40_000 }));
const delay = fc.oneof(fc.nat(50), fc.nat(3_000));
const fate = fc.oneof(
  { weight: 2, arbitrary: fc.constant<number[]>([]) },
  { weight: 3, arbitrary: fc.tuple(delay) },
  { weight: 1, arbitrary: fc.array(delay, { minLength: 2, maxLength: 4 }) },
);
const plannedRequest = (isConfirmable: fc.Arbitrary<boolean>): fc.Arbitrary<PlannedRequest> =>
  fc.record({ startMs: fc.nat(20_000), handlerMs, isFailing: fc.boolean(), isConfirmable });

describe('RFC 7252 §4: across a network that loses each datagram twice at most', () => {
  it('each request is handled once, each answer arrives, NSTART is 1, and nothing is unacknowledged', async () => {
    const requests = fc.array(plannedRequest(fc.constant(true)), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(requests, fc.array(fate, { maxLength: 40 }), async (planned, fates) => {
        const world = await live({ requests: planned, fates, mostLosses: 2 });
        for (const { messageId, handled, unacknowledged, isFailing, answers } of world.requests) {
          assert.equal(handled, 1);
          assert.equal(unacknowledged, 0);
          const [answer] = answers;
          assert.equal(answers.size, 1, 'piggybacked or separate, never both');
          assert.equal(answer?.slice(4), isFailing ? 'internal error' : `answer ${messageId}`);
        }
        assert.ok(world.mostInFlight <= 1);
        assert.equal(world.pendingTimers, 0);
      }),
      { numRuns: 250 },
    );
  });
});

describe('RFC 7252 §4: across a network that loses what it likes, also when the session ends', () => {
  it('each request is handled once at most, and its response is unacknowledged once at most', async () => {
    const requests = fc.array(plannedRequest(fc.boolean()), { minLength: 1, maxLength: 8 });
    const closeAtMs = fc.option(fc.nat(100_000), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(requests, fc.array(fate, { maxLength: 40 }), closeAtMs, async (planned, fates, closesAt) => {
        const world = await live({ requests: planned, fates, mostLosses: 1_000, closeAtMs: closesAt });
        for (const { handled, unacknowledged, answers } of world.requests) {
          assert.ok(handled <= 1);
          assert.ok(unacknowledged <= handled);
          assert.ok(answers.size <= 1);
        }
        assert.equal(world.pendingTimers, 0);
      }),
      { numRuns: 250 },
    );
  });

  it('a response whose peer has gone is unacknowledged once', async () => {
    const planned = { startMs: 0, handlerMs: 5_000, isFailing: false, isConfirmable: true };
    // The request arrives, nothing does from then on.
    const fates = [[0], ...Array<number[]>(100).fill([])];
    const world = await live({ requests: [planned], fates, mostLosses: 1_000 });
    assert.deepEqual(
      world.requests.map(({ handled, unacknowledged }) => [handled, unacknowledged]),
      [[1, 1]],
    );
  });
});
