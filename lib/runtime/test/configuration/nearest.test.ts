import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { editDistance, nearest } from '@gatehouse/runtime/configuration/nearest';
import fc from 'fast-check';

describe('edit distance', () => {
  for (const [a, b, distance] of [
    ['port', 'port', 0],
    ['prot', 'port', 1],
    ['por', 'port', 1],
    ['portt', 'port', 1],
    ['pert', 'port', 1],
    ['', 'port', 4],
    ['kitten', 'sitting', 3],
  ] as const) {
    test(`of '${a}' and '${b}' is ${distance}`, () => assert.equal(editDistance(a, b), distance));
  }

  test('is the same in both directions, and 0 only for the same word', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        assert.equal(editDistance(a, b), editDistance(b, a));
        assert.equal(editDistance(a, b) === 0, a === b);
      }),
    );
  });
});

describe('nearest name', () => {
  test('ignores case', () =>
    assert.equal(nearest('MAXIMUMconnections', ['port', 'maximumConnections']), 'maximumConnections'));
  test('is none when nothing is near', () => assert.equal(nearest('colour', ['port', 'host']), undefined));
});
