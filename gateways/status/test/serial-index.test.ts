import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { hashSerialNumber, SerialIndex } from '../src/state/serial-index.ts';

describe('the index of serial numbers', () => {
  it('behaves like a map, also when all hashes are alike', () => {
    const operations = fc.array(fc.record({ key: fc.nat({ max: 3_000 }), isRemoval: fc.boolean() }), {
      maxLength: 4_000,
    });
    fc.assert(
      fc.property(operations, fc.constantFrom(1, 7, 2 ** 32), (list, hashes) => {
        const index = new SerialIndex();
        const model = new Set<number>();
        // The place of a key is the key.
        const hashOf = (key: number): number => Math.imul(key, 2654435761) % hashes;
        for (const { key, isRemoval } of list) {
          const found = index.find(hashOf(key), (place) => place === key);
          assert.equal(found, model.has(key) ? key : undefined);
          if (isRemoval) {
            assert.equal(
              index.remove(hashOf(key), (place) => place === key),
              found,
            );
            model.delete(key);
          } else if (found === undefined) {
            index.add(hashOf(key), key);
            model.add(key);
          }
        }
        assert.equal(index.size, model.size);
        assert.deepEqual(
          [...index.all()].sort((a, b) => a - b),
          [...model].sort((a, b) => a - b),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('does not grow when as much is removed as is added', () => {
    const index = new SerialIndex();
    for (let i = 0; i < 100_000; i++) {
      index.add(i, i);
      if (i >= 100) index.remove(i - 100, (place) => place === i - 100);
    }
    assert.equal(index.size, 100);
    assert.ok(index.octets < 50_000);
  });

  it('spreads serial numbers that differ little', () => {
    const slots = new Set<number>();
    for (let i = 0; i < 4_096; i++) slots.add(hashSerialNumber(0, `01${i.toString(16).padStart(30, '0')}`) & 0x3fff);
    assert.ok(slots.size > 3_000, `${slots.size} of 4096`);
  });
});
