import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FairQueue } from '../src/fair-queue.ts';

describe('acme.md §11: validations under load', () => {
  it('are taken in turns from each account, and in their order from one', () => {
    const queue = new FairQueue();
    for (const id of ['a1', 'a2', 'a3']) queue.push('a', id);
    queue.push('b', 'b1');
    assert.deepEqual([...queue], ['a1', 'a2', 'a3', 'b1']);
    assert.deepEqual([queue.shift(), queue.shift(), queue.shift()], ['a1', 'b1', 'a2']);
    queue.push('b', 'b2');
    assert.deepEqual([queue.shift(), queue.shift(), queue.shift()], ['a3', 'b2', undefined]);
  });

  it('get each its turn, before any account has two', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 40 }), (owners) => {
        const queue = new FairQueue();
        for (const [index, owner] of owners.entries()) queue.push(owner, `${owner}${index}`);
        const taken = owners.map(() => queue.shift() ?? '');
        assert.equal(queue.shift(), undefined);
        assert.deepEqual(taken.toSorted(), owners.map((owner, index) => `${owner}${index}`).toSorted());
        const round = new Set(owners).size;
        assert.equal(new Set(taken.slice(0, round).map((id) => id[0])).size, round);
      }),
    );
  });
});
