import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { type HeldCrl, isScopeName } from '../src/state/crl-shelf.ts';
import { signedCrl } from './support/signed.ts';
import { openState, putCrl, type TestState, withDirectory, withState } from './support/state.ts';

const large = 600_000;

function heldCrl({ crls }: TestState): HeldCrl {
  const held = crls.find('issuing-1');
  assert.ok(held !== undefined);
  return held;
}

describe('RFC 5280 §5.2.3: the CRL with the highest number is served', () => {
  it('a higher number takes the place, a lower or the same one does not', async () => {
    await withState(async (state) => {
      putCrl(state, { crlNumber: 7 });
      const newer = putCrl(state, { crlNumber: 9 });
      putCrl(state, { crlNumber: 8 });
      putCrl(state, { crlNumber: 9, padding: 10 });
      const held = state.crls.find('issuing-1');
      assert.equal(held?.facts.crlNumber, 9);
      assert.deepEqual(held?.file.contents, newer);
      assert.deepEqual(readdirSync(join(state.directory, 'crl')), ['issuing-1.9.crl']);
    });
  });

  it('scopes and their deltas are apart', async () => {
    await withState(async (state) => {
      putCrl(state, { crlNumber: 7 });
      putCrl(state, { crlNumber: 8, isDelta: true });
      putCrl(state, { crlNumber: 5, scope: 'issuing' });
      assert.equal(state.crls.find('issuing-1')?.facts.crlNumber, 7);
      assert.equal(state.crls.find('issuing-1-delta')?.facts.baseCrlNumber, 7);
      assert.equal(state.crls.find('issuing')?.facts.crlNumber, 5);
    });
  });

  it('also after a restart', async () => {
    await withDirectory(async (directory) => {
      const before = await openState(directory);
      const octets = putCrl(before, { crlNumber: 9, padding: large });
      putCrl(before, { crlNumber: 3, isDelta: true });
      await before.close();
      const after = await openState(directory);
      const { facts, file } = heldCrl(after);
      assert.equal(facts.crlNumber, 9);
      assert.equal(file.contents, undefined);
      assert.deepEqual(await buffer(file.stream(0, octets.length - 1)), octets);
      assert.equal(after.crls.isNewer(signedCrl({ crlNumber: 9 }).facts), false);
      await after.close();
    });
  });
});

describe('CRLs of the copy', () => {
  it('one that was damaged is thrown away, and so is what does not belong there', async () => {
    await withDirectory(async (directory) => {
      const before = await openState(directory);
      putCrl(before, { crlNumber: 9 });
      putCrl(before, { crlNumber: 4, scope: 'root' });
      await before.close();
      writeFileSync(join(directory, 'crl/issuing-1.9.crl'), 'half');
      writeFileSync(join(directory, 'crl/.1.0.tmp'), 'left behind');
      writeFileSync(join(directory, 'crl/issuing-1.8.crl'), 'replaced, but not removed');
      const after = await openState(directory);
      assert.equal(after.crls.find('issuing-1'), undefined);
      assert.equal(after.crls.find('root')?.facts.crlNumber, 4);
      assert.deepEqual(readdirSync(join(directory, 'crl')), ['root.4.crl']);
      await after.close();
    });
  });

  it('a reader reads the CRL that it began with, also when it was replaced', async () => {
    await withState(async (state) => {
      const octets = putCrl(state, { crlNumber: 7, padding: large });
      const stream = heldCrl(state).file.stream(100, octets.length - 1);
      putCrl(state, { crlNumber: 8 });
      assert.deepEqual(await buffer(stream), octets.subarray(100));
    });
  });

  it('many readers read at their own places, and one that goes away disturbs none', async () => {
    await withState(async (state) => {
      const octets = putCrl(state, { padding: large });
      const { file } = heldCrl(state);
      const gone = file.stream(0, octets.length - 1);
      gone.once('data', () => gone.destroy());
      const all = await Promise.all(
        [0, 1, 300_000].map(async (first) => await buffer(file.stream(first, octets.length - 1))),
      );
      assert.deepEqual(
        all.map((part) => part.length),
        [octets.length, octets.length - 1, octets.length - 300_000],
      );
    });
  });

  it('what is not published any more is forgotten', async () => {
    await withState(async (state) => {
      putCrl(state, { crlNumber: 7 });
      putCrl(state, { crlNumber: 8, scope: 'issuing-2' });
      state.crls.retain(({ scope }) => scope === 'issuing-2');
      assert.equal(state.crls.find('issuing-1'), undefined);
      assert.deepEqual(readdirSync(join(state.directory, 'crl')), ['issuing-2.8.crl']);
    });
  });

  for (const [name, isOne] of [
    ['issuing', true],
    ['issuing-4096', true],
    ['issuing-1-delta', false],
    ['Issuing', false],
    ['../x', false],
    ['', false],
    ['a'.repeat(64), false],
  ] as const) {
    it(`'${name.slice(0, 20)}' ${isOne ? 'can' : 'cannot'} be the name of a scope`, () => {
      assert.equal(isScopeName(name), isOne);
    });
  }
});
