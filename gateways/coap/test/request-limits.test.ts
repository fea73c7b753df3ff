import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import { createManualClock } from '@gatehouse/runtime/clock';
import { createRequestLimits } from '../src/request-limits.ts';

const clock = createManualClock(new Date('2026-01-01T00:00:00Z'));

describe('what clients may ask at once', () => {
  it('gives places until all are taken, and each only once', () => {
    const limits = createRequestLimits({ requests: 2, clock });
    const [first, second] = [limits.begin('192.0.2.1'), limits.begin('192.0.2.1')];
    assert.equal(limits.begin('192.0.2.1'), undefined);
    assert.equal(limits.inWork, 2);
    first?.();
    assert.notEqual(limits.begin('192.0.2.1'), undefined);
    second?.();
    assert.equal(limits.inWork, 1);
  });

  it('leaves places to others when one address, or /64 of IPv6, has what it may', () => {
    const limits = createRequestLimits({ requests: 3, requestsPerAddress: 1, clock });
    const end = limits.begin('2001:db8::1');
    assert.equal(limits.begin('2001:db8::2'), undefined);
    assert.notEqual(limits.begin('2001:db8:1::1'), undefined);
    end?.();
    assert.notEqual(limits.begin('2001:db8::2'), undefined);
  });

  it('drains: takes nothing new, and waits for what is in work', async () => {
    const limits = createRequestLimits({ requests: 2, clock });
    const end = limits.begin('192.0.2.1');
    const drained = limits.drain(60_000);
    assert.equal(limits.begin('192.0.2.1'), undefined);
    end?.();
    await drained;
  });

  it('does not wait longer than it is told to', async () => {
    const limits = createRequestLimits({ requests: 2, clock });
    limits.begin('192.0.2.1');
    await limits.drain(1);
    assert.equal(limits.inWork, 1);
  });
});

describe('RFC 8516: too many requests', () => {
  const isTooMany = (error: unknown) =>
    error instanceof EstError && error.code === 'too-many-requests' && (error.retryAfterSeconds ?? 0) > 0;

  it('limits an address, and a /64 of IPv6 as one', () => {
    const limits = createRequestLimits({ requests: 9, address: { perSecond: 1, burst: 1 }, clock });
    limits.takeForAddress('192.0.2.1');
    limits.takeForAddress('192.0.2.2');
    assert.throws(() => limits.takeForAddress('192.0.2.1'), isTooMany);
    limits.takeForAddress('2001:db8::1');
    assert.throws(() => limits.takeForAddress('2001:db8::2'), isTooMany);
  });

  it('limits a requester', () => {
    const limits = createRequestLimits({ requests: 9, requester: { perSecond: 1, burst: 2 }, clock });
    limits.takeForRequester('device a');
    limits.takeForRequester('device a');
    limits.takeForRequester('device b');
    assert.throws(() => limits.takeForRequester('device a'), isTooMany);
  });

  it('limits nothing where nothing is configured', () => {
    const limits = createRequestLimits({ requests: 9, clock });
    for (let i = 0; i < 1_000; i++) limits.takeForAddress('192.0.2.1');
  });
});
