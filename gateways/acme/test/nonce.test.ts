import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { createManualClock } from '@gatehouse/runtime/clock';
import fc from 'fast-check';
import { AcmeError } from '../src/errors.ts';
import { createNonces, nonceLifeMs } from '../src/nonce.ts';

const secret = randomBytes(32);
const isBadNonce = (error: unknown) => error instanceof AcmeError && error.type === 'badNonce';

describe('RFC 8555 §6.5: nonces that describe themselves', () => {
  it('are known to every copy of the gate that has the key, and to no other', () => {
    const clock = createManualClock(new Date());
    const [one, two] = [createNonces({ secret, clock }), createNonces({ secret, clock })];
    const stranger = createNonces({ secret: randomBytes(32), clock });
    const nonce = one.issue();
    assert.match(nonce, /^[A-Za-z0-9_-]{44}$/);
    assert.deepEqual(two.check(nonce).parameters, one.check(nonce).parameters);
    assert.throws(() => stranger.check(nonce), isBadNonce);
  });

  it('do not repeat', () => {
    const nonces = createNonces({ secret, clock: createManualClock(new Date()) });
    assert.equal(new Set(Array.from({ length: 10_000 }, () => nonces.issue())).size, 10_000);
  });

  it('grow old after an hour, and may come from a clock that goes ahead a little', () => {
    const clock = createManualClock(new Date());
    const nonces = createNonces({ secret, clock });
    const nonce = nonces.issue();
    clock.advance(nonceLifeMs - 1_000);
    nonces.check(nonce);
    clock.advance(2_000);
    assert.throws(() => nonces.check(nonce), isBadNonce);
    const early = nonces.issue();
    clock.advance(-60_000);
    nonces.check(early);
    clock.advance(-3_600_000);
    assert.throws(() => nonces.check(early), isBadNonce);
  });

  it('are remembered for as long as any copy of the gate would take them', () => {
    const clock = createManualClock(new Date(1_800_000_000_000));
    const nonces = createNonces({ secret, clock });
    const [, expiresAt] = nonces.check(nonces.issue()).parameters;
    assert.ok(Number(expiresAt) >= 1_800_000_000_000 + nonceLifeMs + 60_000);
  });

  it('have one spelling: no other text passes', () => {
    const nonces = createNonces({ secret, clock: createManualClock(new Date()) });
    const nonce = nonces.issue();
    fc.assert(
      fc.property(fc.nat(nonce.length - 1), fc.base64String(), fc.string(), (at, base64, text) => {
        const cut = nonce.slice(0, at);
        for (const wrong of [cut, cut + base64, cut + text, text, base64, `${cut}${text}${nonce.slice(at + 1)}`]) {
          if (wrong !== nonce) assert.throws(() => nonces.check(wrong), isBadNonce);
        }
      }),
    );
  });

  it('can be refused at random, for test suites of clients', () => {
    const nonces = createNonces({ secret, clock: createManualClock(new Date()), refuses: () => true });
    assert.throws(() => nonces.check(nonces.issue()), isBadNonce);
  });
});
