import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isRequestId, isUnguessableId, newRequestId, newUnguessableId } from '@gatehouse/runtime/identifiers';

describe('request ids', () => {
  test('have 26 characters of the base 32 alphabet and begin with the time', () => {
    const before = Date.now();
    const id = newRequestId();
    assert.ok(isRequestId(id));
    const time = [...id.slice(0, 10)].reduce(
      (sum, digit) => sum * 32 + '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(digit),
      0,
    );
    assert.ok(time >= before && time <= Date.now());
  });

  test('do not repeat', () => {
    const ids = new Set(Array.from({ length: 20_000 }, newRequestId));
    assert.equal(ids.size, 20_000);
  });

  test('use every character of the alphabet in their random part', () => {
    const seen = new Set(Array.from({ length: 1000 }, () => newRequestId().slice(10)).join(''));
    assert.equal(seen.size, 32);
  });

  for (const text of [
    '',
    'x',
    '01ARZ3NDEKTSV4RRFFQ69G5FAU',
    '81ARZ3NDEKTSV4RRFFQ69G5FAV',
    '01ARZ3NDEKTSV4RRFFQ69G5FAV\n',
    '01arz3ndektsv4rrffq69g5fav',
  ]) {
    test(`refuses ${JSON.stringify(text)} as a request id`, () => assert.equal(isRequestId(text), false));
  }
});

describe('unguessable ids', () => {
  test('do not repeat, and none begins as an option of a command does', () => {
    const ids = Array.from({ length: 20_000 }, newUnguessableId);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.every(isUnguessableId));
    assert.ok(ids.every((id) => !id.startsWith('-')));
  });
});
