// The drill of mpic.md §4: perspectives that are slow, that hang, or that are gone. What the quorum can do without them it
// does; where it cannot, clients are told which perspectives gave no answer; and nobody has to start the gate again.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { OrderEnd } from '../../src/acme/patient-client.ts';
import { type Crew, hireCrew } from '../../src/drills/crew.ts';
import { type House, openHouse } from '../../src/drills/house.ts';
import { createOrderWitness } from '../../src/drills/order-witness.ts';

const ordersPerScene = 8;
/** Three attempts with 20 s for the remote perspectives each, and 1 s and 4 s between them; and a busy machine. */
const refusedWithinMs = 3 * 20_000 + 5_000 + 15_000;
/** The gate has to notice, and to connect again. */
const backWithinMs = 30_000;

let house: House;
let crew: Crew;
let scenes = 0;
const witness = createOrderWitness();

before(async () => {
  house = await openHouse();
  crew = await hireCrew(house, 2, witness);
});
after(async () => {
  crew?.close();
  await house?.leave();
});

/** Brings orders for one name each to their ends. */
async function issue(count = ordersPerScene): Promise<{ readonly ends: readonly OrderEnd[]; readonly tookMs: number }> {
  const scene = ++scenes;
  const startedAt = performance.now();
  const ends = await crew.issue(count, count, (index) => [`o${index}.scene${scene}.test`]);
  return { ends, tookMs: Math.round(performance.now() - startedAt) };
}

async function assertGood(what: string, withinMs = 20_000): Promise<void> {
  const { ends, tookMs } = await issue();
  process.stdout.write(`${what}: ${ends.length} orders in ${tookMs} ms\n`);
  assert.deepEqual(
    ends.filter(({ kind }) => kind === 'invalid'),
    [],
  );
  assert.ok(tookMs < withinMs, `${what}: took ${tookMs} ms`);
}

async function assertRefused(what: string): Promise<void> {
  const { ends, tookMs } = await issue(2);
  for (const end of ends) {
    assert.equal(end.kind, 'invalid');
    const { type, detail } = JSON.parse(end.why);
    assert.equal(type, 'urn:ietf:params:acme:error:serverInternal');
    assert.match(detail, /here-a: no usable answer/);
    assert.match(detail, /here-b: no usable answer/);
    process.stdout.write(`${what}: after ${tookMs} ms: ${detail}\n`);
  }
  assert.ok(tookMs < refusedWithinMs, `${what}: took ${tookMs} ms`);
}

describe('mpic.md §4: orders get through', () => {
  it('while one perspective hangs, and when it goes on', async () => {
    const [first] = house.perspectives;
    first.freeze();
    await assertGood('one hangs');
    first.thaw();
    await assertGood('it goes on');
  });

  it('while one perspective is gone, and when it is back', async () => {
    const [, second] = house.perspectives;
    await second.kill();
    await assertGood('one is gone');
    second.launch();
    await second.ready();
    await assertGood('it is back');
  });

  it('while both are slow', async () => {
    const stop = new AbortController();
    const slow = Promise.all(
      house.perspectives.map(async (perspective, index) => {
        while (!stop.signal.aborted) {
          perspective.freeze();
          await pause(900 + 300 * index);
          perspective.thaw();
          await pause(100);
        }
      }),
    );
    await assertGood('both are slow', 60_000).finally(async () => {
      stop.abort();
      await slow;
    });
  });
});

describe('mpic.md §4: orders are refused by name of the perspectives that did not answer', () => {
  it('when both are gone; and get through when they are back', async () => {
    await Promise.all(house.perspectives.map((perspective) => perspective.kill()));
    await assertRefused('both are gone');
    for (const perspective of house.perspectives) perspective.launch();
    await Promise.all(house.perspectives.map((perspective) => perspective.ready()));
    await assertGood('both are back', backWithinMs);
  });

  it('when both hang; and get through when they go on', async () => {
    for (const perspective of house.perspectives) perspective.freeze();
    await assertRefused('both hang');
    for (const perspective of house.perspectives) perspective.thaw();
    await assertGood('both go on', backWithinMs);
  });
});

describe('the gate', () => {
  it('never ended, never took anything back, and answered with no fault of its own', () => {
    assert.deepEqual(
      house.residents.flatMap(({ unasked }) => unasked),
      [],
    );
    assert.deepEqual(witness.offences, []);
  });
});
