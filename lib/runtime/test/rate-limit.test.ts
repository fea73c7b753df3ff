import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createManualClock } from '@gatehouse/runtime/clock';
import { RateLimiter } from '@gatehouse/runtime/rate-limit';
import fc from 'fast-check';

const start = new Date('2026-01-01T00:00:00Z');

describe('rate limits', () => {
  test('grant the burst at once and then the rate', () => {
    const clock = createManualClock(start);
    const limiter = new RateLimiter({ ratePerSecond: 2, burst: 3, clock });
    for (let i = 0; i < 3; i++) assert.deepEqual(limiter.take('a'), { ok: true });
    assert.deepEqual(limiter.take('a'), { ok: false, retryAfterMs: 500 });
    clock.advance(499);
    assert.deepEqual(limiter.take('a'), { ok: false, retryAfterMs: 1 });
    clock.advance(1);
    assert.deepEqual(limiter.take('a'), { ok: true });
  });

  test('count each key by itself', () => {
    const limiter = new RateLimiter({ ratePerSecond: 1, burst: 1, clock: createManualClock(start) });
    assert.equal(limiter.take('a').ok, true);
    assert.equal(limiter.take('b').ok, true);
    assert.equal(limiter.take('a').ok, false);
  });

  test('take nothing when they refuse', () => {
    const clock = createManualClock(start);
    const limiter = new RateLimiter({ ratePerSecond: 1, burst: 4, clock });
    assert.equal(limiter.take('a', 3).ok, true);
    for (let i = 0; i < 10; i++) assert.equal(limiter.take('a', 2).ok, false);
    assert.equal(limiter.take('a', 1).ok, true);
  });

  test('never grant a cost above the burst', () => {
    const limiter = new RateLimiter({ ratePerSecond: 1, burst: 4, clock: createManualClock(start) });
    assert.deepEqual(limiter.take('a', 5), { ok: false, retryAfterMs: 1000 });
    assert.equal(limiter.take('a', 4).ok, true);
  });

  test('do not shut a key out when the clock is set back', () => {
    const clock = createManualClock(start);
    const limiter = new RateLimiter({ ratePerSecond: 1, burst: 2, clock });
    limiter.take('a', 2);
    clock.advance(-86_400_000);
    const refused = limiter.take('a');
    assert.ok(!refused.ok && refused.retryAfterMs <= 2000);
    clock.advance(2000);
    assert.equal(limiter.take('a').ok, true);
  });

  test('remember no more keys than they were told', () => {
    const limiter = new RateLimiter({ ratePerSecond: 1, burst: 1, clock: createManualClock(start), maximumKeys: 100 });
    for (let i = 0; i < 10_000; i++) limiter.take(`key ${i}`);
    assert.equal(limiter.size, 100);
  });

  test('forget keys that owe nothing before those that do', () => {
    const clock = createManualClock(start);
    const limiter = new RateLimiter({ ratePerSecond: 1, burst: 10, clock, maximumKeys: 10 });
    for (let i = 0; i < 5; i++) limiter.take(`paid ${i}`);
    limiter.take('limited', 10);
    clock.advance(2000);
    for (let i = 0; i < 9; i++) limiter.take(`new ${i}`);
    assert.equal(limiter.take('limited', 5).ok, false);
  });

  test('keep a key that is refused again and again, whatever else floods in', () => {
    const limiter = new RateLimiter({
      ratePerSecond: 0.001,
      burst: 1,
      clock: createManualClock(start),
      maximumKeys: 10,
    });
    limiter.take('limited');
    for (let i = 0; i < 100; i++) {
      limiter.take(`new ${i}`);
      assert.equal(limiter.take('limited').ok, false);
    }
  });

  test('grant in any time span no more than burst plus rate times span', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 1000, noNaN: true }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 1, max: 5 })), { maxLength: 200 }),
        (ratePerSecond, burst, steps) => {
          const clock = createManualClock(start);
          const limiter = new RateLimiter({ ratePerSecond, burst, clock });
          let granted = 0;
          let span = 0;
          for (const [pause, cost] of steps) {
            clock.advance(pause);
            span += pause;
            if (limiter.take('a', cost).ok) granted += cost;
          }
          assert.ok(granted <= burst + (ratePerSecond * span) / 1000 + 0.01);
        },
      ),
    );
  });

  test('grant again after exactly the time they name', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 500, noNaN: true }),
        fc.integer({ min: 1, max: 20 }),
        (ratePerSecond, burst) => {
          const clock = createManualClock(start);
          const limiter = new RateLimiter({ ratePerSecond, burst, clock });
          let decision = limiter.take('a');
          while (decision.ok) decision = limiter.take('a');
          clock.advance(decision.retryAfterMs);
          assert.equal(limiter.take('a').ok, true);
        },
      ),
    );
  });

  test('refuse options that mean nothing', () => {
    assert.throws(() => new RateLimiter({ ratePerSecond: 0, burst: 1 }), RangeError);
    assert.throws(() => new RateLimiter({ ratePerSecond: 1, burst: 0 }), RangeError);
    assert.throws(() => new RateLimiter({ ratePerSecond: 1, burst: 1, maximumKeys: 0 }), RangeError);
    assert.throws(() => new RateLimiter({ ratePerSecond: 1, burst: 1 }).take('a', 0), RangeError);
  });
});
