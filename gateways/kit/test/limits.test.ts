import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressKey, ConnectionLimits } from '@gatehouse/gateway-kit/connection-limits';
import { normalizeAddress } from '@gatehouse/gateway-kit/peer';
import { createGateRateLimits } from '@gatehouse/gateway-kit/rate-limit';
import { createManualClock } from '@gatehouse/runtime/clock';
import fc from 'fast-check';

describe('EST requirements §5: too many connections of one address', () => {
  it('are served up to the limit, refused up to twice the limit, dropped above', () => {
    const limits = new ConnectionLimits(2);
    assert.deepEqual(
      Array.from({ length: 5 }, () => limits.open('192.0.2.1')),
      ['serve', 'serve', 'refuse', 'refuse', 'drop'],
    );
    assert.equal(limits.open('192.0.2.2'), 'serve');
  });

  it('are counted exactly, whatever opens and closes', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean()), (steps) => {
        const limits = new ConnectionLimits(3);
        let open = 0;
        for (const opens of steps) {
          if (opens) {
            const decision = limits.open('192.0.2.1');
            assert.equal(decision, open >= 6 ? 'drop' : open >= 3 ? 'refuse' : 'serve');
            if (decision !== 'drop') open++;
          } else if (open > 0) {
            limits.close('192.0.2.1');
            open--;
          }
        }
      }),
    );
  });

  it('count an IPv6 client by its /64, however the address is written', () => {
    assert.equal(addressKey('2001:db8:1:2:3:4:5:6'), addressKey('2001:db8:1:2::9'));
    assert.equal(addressKey('2001:db8:0:0:1::'), addressKey('2001:db8::1:0:0:0'));
    assert.notEqual(addressKey('2001:db8:1:2::1'), addressKey('2001:db8:1:3::1'));
    assert.equal(addressKey('fe80::1%eth0'), addressKey('fe80::2'));
    assert.equal(addressKey('::1'), '0:0:0:0::/64');
    assert.equal(addressKey('192.0.2.1'), '192.0.2.1');
  });

  it('count an IPv4 client the same on a dual-stack listener', () => {
    assert.equal(normalizeAddress('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(normalizeAddress('2001:db8::1'), '2001:db8::1');
    assert.equal(normalizeAddress(undefined), '');
  });
});

describe('EST requirements §5: rate limits', () => {
  it('answer 429 with Retry-After when an address or a requester asks too often', () => {
    const clock = createManualClock(new Date());
    const limits = createGateRateLimits(
      { address: { perSecond: 0.5, burst: 1 }, requester: { perSecond: 1, burst: 2 } },
      clock,
    );
    assert.equal(limits.takeForAddress('192.0.2.1'), undefined);
    const refusal = limits.takeForAddress('192.0.2.1');
    assert.equal(refusal?.status, 429);
    assert.equal(refusal?.headers.get('retry-after'), '2');
    assert.equal(limits.takeForAddress('192.0.2.2'), undefined);
    assert.equal(limits.takeForRequester('alice'), undefined);
    clock.advance(2_000);
    assert.equal(limits.takeForAddress('192.0.2.1'), undefined);
  });

  it('do not limit what is not configured', () => {
    const limits = createGateRateLimits({});
    for (let i = 0; i < 1_000; i++) assert.equal(limits.takeForAddress('192.0.2.1'), undefined);
  });
});
