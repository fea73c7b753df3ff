import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { idempotencyKey } from '@gatehouse/gateway-kit/idempotency';
import fc from 'fast-check';

const parts = fc.array(fc.oneof(fc.string({ maxLength: 4 }), fc.uint8Array({ maxLength: 4 })), { maxLength: 5 });

function canonical(list: readonly (string | Uint8Array)[]): string {
  return JSON.stringify(list.map((part) => (typeof part === 'string' ? ['text', part] : ['octets', ...part])));
}

describe('EST requirements §2: retry safety', () => {
  it('the same parts give the same key, other parts another one', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        assert.equal(idempotencyKey(a) === idempotencyKey(b), canonical(a) === canonical(b));
      }),
    );
  });

  it('moving a boundary between parts changes the key', () => {
    assert.notEqual(idempotencyKey(['ab', 'c']), idempotencyKey(['a', 'bc']));
    assert.notEqual(idempotencyKey(['abc']), idempotencyKey(['abc', '']));
    assert.notEqual(idempotencyKey(['abc']), idempotencyKey([Buffer.from('abc')]));
  });

  it('a key is visible ASCII of 64 characters', () => {
    assert.match(idempotencyKey(['x']), /^[0-9a-f]{64}$/);
  });
});
