import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type HeldResponse, ResponseMemory } from '../src/state/response-memory.ts';

function response(record: Buffer, thisUpdate = 1): HeldResponse {
  return { thisUpdate, nextUpdate: 2, responder: 3, isDateCertain: true, record, start: 0, length: record.length };
}

function contents(held: HeldResponse | undefined): Buffer | undefined {
  return held?.record.subarray(held.start, held.start + held.length);
}

const serial = (number: number): string => number.toString(16).padStart(8, '0');

describe('responses in memory', () => {
  it('gives what was put, by authority and serial number', () => {
    const memory = new ResponseMemory(1 << 20, 1 << 16);
    memory.put(0, '0a', response(Buffer.from('one'), 5));
    memory.put(1, '0a', response(Buffer.from('two'), 6));
    assert.deepEqual(contents(memory.find(0, '0a')), Buffer.from('one'));
    assert.deepEqual(contents(memory.find(1, '0a')), Buffer.from('two'));
    assert.equal(memory.find(1, '0a')?.thisUpdate, 6);
    assert.equal(memory.find(2, '0a'), undefined);
    assert.equal(memory.find(0, '0b'), undefined);
  });

  it('behaves like a map, as long as there is room', () => {
    const operation = fc.record({
      key: fc.nat({ max: 20 }),
      value: fc.option(fc.uint8Array({ maxLength: 60 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const memory = new ResponseMemory(1 << 20, 512);
        const model = new Map<string, Buffer>();
        for (const { key, value } of operations) {
          if (value === undefined) {
            memory.delete(0, serial(key));
            model.delete(serial(key));
          } else {
            memory.put(0, serial(key), response(Buffer.from(value)));
            model.set(serial(key), Buffer.from(value));
          }
        }
        assert.equal(memory.size, model.size);
        for (let key = 0; key <= 20; key++) {
          assert.deepEqual(contents(memory.find(0, serial(key))), model.get(serial(key)));
        }
      }),
    );
  });

  it('stays within its bounds: the oldest go, the newest are there', () => {
    const memory = new ResponseMemory(64 * 1024, 4096);
    let evictions = 0;
    for (let i = 0; i < 5_000; i++) {
      if (!memory.put(0, serial(i), response(Buffer.alloc(100, i)))) evictions++;
      // The index may have grown since the last slab.
      assert.ok(memory.octets <= (64 + 24) * 1024, `${memory.octets}`);
    }
    assert.ok(evictions > 0);
    assert.equal(memory.find(0, serial(0)), undefined);
    for (let i = 4_950; i < 5_000; i++) assert.deepEqual(contents(memory.find(0, serial(i))), Buffer.alloc(100, i));
    let found = 0;
    for (let i = 0; i < 5_000; i++) if (memory.find(0, serial(i)) !== undefined) found++;
    assert.equal(found, memory.size);
  });

  it('gives memory back when all of it was replaced', () => {
    const memory = new ResponseMemory(1 << 30, 4096);
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 100; i++) memory.put(0, serial(i), response(Buffer.alloc(100, round)));
    }
    assert.equal(memory.size, 100);
    assert.ok(memory.octets < 50_000, `${memory.octets}`);
  });

  it('does not hold what is larger than a slab, nor what that was to replace', () => {
    const memory = new ResponseMemory(1 << 20, 1024);
    memory.put(0, '0a', response(Buffer.from('small')));
    assert.equal(memory.put(0, '0a', response(Buffer.alloc(2_000))), false);
    assert.equal(memory.find(0, '0a'), undefined);
  });

  it('leaves a view as it was when its place is given up', () => {
    const memory = new ResponseMemory(32 * 1024, 1024);
    memory.put(0, 'ff', response(Buffer.from('first')));
    const held = memory.find(0, 'ff');
    for (let i = 0; i < 2_000; i++) memory.put(0, serial(i), response(Buffer.alloc(100)));
    assert.equal(memory.find(0, 'ff'), undefined);
    assert.deepEqual(contents(held), Buffer.from('first'));
  });

  it('forgets an authority', () => {
    const memory = new ResponseMemory(1 << 20, 1 << 16);
    memory.put(0, '0a', response(Buffer.from('one')));
    memory.put(1, '0a', response(Buffer.from('two')));
    memory.clear(0);
    assert.equal(memory.find(0, '0a'), undefined);
    assert.equal(memory.size, 1);
  });
});
