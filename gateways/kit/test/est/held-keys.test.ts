import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createHeldKeys } from '@gatehouse/gateway-kit/est/held-keys';
import { createManualClock } from '@gatehouse/runtime/clock';

describe('keys that wait for approval', () => {
  const set = (privateKey: Uint8Array, holder = 'a') => ({
    holder,
    privateKey,
    certificationRequest: Buffer.alloc(1),
    idempotencyKey: 'k',
    deliveries: { open: 0, done: 0 },
  });
  const start = new Date('2026-01-01T00:00:00Z');

  it('are held as copies: who asks may overwrite what it got, and a release takes nothing from it', () => {
    const held = createHeldKeys(createManualClock(start), 1_000);
    const key = set(Buffer.alloc(8, 1));
    held.hold('a', key);
    key.privateKey.fill(0);
    const found = held.find('a');
    assert.deepEqual(found?.privateKey, new Uint8Array(8).fill(1));
    assert.equal(found?.deliveries, key.deliveries);
    held.release('a', { ...key, idempotencyKey: 'another for the same request' });
    assert.ok(held.find('a') !== undefined);
    held.release('a', key);
    assert.equal(held.find('a'), undefined);
    assert.deepEqual(found?.privateKey, new Uint8Array(8).fill(1));
  });

  it('are found for as long as they were released to, and no longer than they were held', () => {
    const clock = createManualClock(start);
    const held = createHeldKeys(clock, 1_000);
    const key = set(Buffer.alloc(8, 3));
    held.hold('c', key);
    held.release('c', key, 400);
    clock.advance(399);
    assert.ok(held.find('c') !== undefined);
    clock.advance(1);
    assert.equal(held.find('c'), undefined);
    held.hold('c', key);
    held.release('c', key, 5_000);
    clock.advance(1_000);
    assert.equal(held.find('c'), undefined);
  });

  it('are forgotten in time, and when there are too many', () => {
    const clock = createManualClock(start);
    const held = createHeldKeys(clock, 1_000);
    held.hold('b', set(Buffer.alloc(8, 2)));
    clock.advance(1_000);
    assert.equal(held.find('b'), undefined);
    for (let index = 0; index <= 1_000; index++) held.hold(`many ${index}`, set(Buffer.alloc(1)));
    assert.equal(held.find('many 0'), undefined);
    assert.ok(held.find('many 1000') !== undefined);
  });

  it('are not forgotten for the many of another', () => {
    const held = createHeldKeys(createManualClock(start), 1_000);
    held.hold('patient', set(Buffer.alloc(1), 'b'));
    for (let index = 0; index <= 2_000; index++) held.hold(`many ${index}`, set(Buffer.alloc(1)));
    assert.ok(held.find('patient') !== undefined);
    assert.ok(held.find('many 2000') !== undefined);
    assert.equal(held.find('many 1000'), undefined);
  });
});
