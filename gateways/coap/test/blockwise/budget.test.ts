import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createManualClock } from '@gatehouse/runtime/clock';
import { createMetrics } from '@gatehouse/runtime/metrics';
import { createBlockBudget, entryOverheadOctets } from '../../src/blockwise/budget.ts';
import { createBlockMetrics } from '../../src/blockwise/metrics.ts';
import { responseCodes } from '../../src/message/codes.ts';
import { optionNumbers } from '../../src/message/option-numbers.ts';
import {
  answering,
  bodyOf,
  entryLifeMs,
  message,
  noMetrics,
  openSession,
  sendAll,
  uintOf,
  uploadOf,
} from './support/session.ts';

const start = new Date('2026-01-01T00:00:00Z');
const each = entryOverheadOctets + 1_000;

/** A budget for so many entries of a thousand octets. */
function open(entries: number) {
  const clock = createManualClock(start);
  const budget = createBlockBudget({ maximumOctets: entries * each, entryLifeMs, clock, metrics: noMetrics });
  const forgotten: string[] = [];
  const hold = (name: string, octets = 1_000) => budget.hold(octets, (cause) => forgotten.push(`${name} ${cause}`));
  return { clock, budget, forgotten, hold };
}

describe('RFC 7959 §7.1: the memory of all sessions', () => {
  it('coaps.md §5: who is idle longest is forgotten first', () => {
    const { forgotten, hold } = open(2);
    const first = hold('first');
    hold('second');
    first?.touch();
    assert(hold('third') !== undefined);
    assert.deepEqual(forgotten, ['second evicted']);
    assert.equal(first?.isHeld, true);
  });

  it('is not taken from the few of one client for the many of another', () => {
    const { budget, forgotten } = open(4);
    const holdFor = (holder: string, name: string) =>
      budget.of(holder).hold(1_000, (cause) => forgotten.push(`${name} ${cause}`));
    const patient = holdFor('192.0.2.1', 'patient');
    for (let index = 0; index < 6; index++) assert(holdFor('192.0.2.2', `greedy ${index}`) !== undefined);
    assert.deepEqual(forgotten, ['greedy 0 evicted', 'greedy 1 evicted', 'greedy 2 evicted']);
    assert.equal(patient?.isHeld, true);
    assert.equal(patient?.resize(2 * each), true);
    assert.deepEqual(forgotten.slice(3), ['greedy 3 evicted', 'greedy 4 evicted']);
    assert.equal(budget.entries, 2);
  });

  it('coaps.md §5: who is worked with is not forgotten; without room there is no hold, and nobody is forgotten in vain', () => {
    const { clock, budget, forgotten, hold } = open(2);
    const first = hold('first');
    hold('second');
    first?.pin();
    assert.equal(hold('third', each + 1_000), undefined);
    assert.deepEqual(forgotten, []);
    clock.advance(entryLifeMs);
    budget.sweep();
    assert.deepEqual(forgotten, ['second expired']);
    first?.touch();
    clock.advance(entryLifeMs);
    budget.sweep();
    assert.deepEqual(forgotten, ['second expired', 'first expired']);
    assert.equal(budget.octets, 0);
  });

  it('coaps.md §5: growing takes from others, never from oneself', () => {
    const { forgotten, hold } = open(2);
    const first = hold('first');
    hold('second');
    assert.equal(first?.resize(1_500), true);
    assert.deepEqual(forgotten, ['second evicted']);
    assert.equal(first?.resize(4_000), false);
    assert.equal(first?.isHeld, true);
  });

  it('RFC 7252 §4.8.2: an entry lives from its last progress', () => {
    const { clock, budget, forgotten, hold } = open(2);
    const first = hold('first');
    hold('second');
    clock.advance(entryLifeMs - 1);
    first?.touch();
    clock.advance(1);
    budget.sweep();
    assert.deepEqual(forgotten, ['second expired']);
  });

  it('RFC 7252 §4.8.2: what is old is forgotten although nobody asks', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const clock = { now: () => new Date() };
    const budget = createBlockBudget({ maximumOctets: each, entryLifeMs: 5, clock, metrics: noMetrics });
    budget.hold(1_000, resolve);
    // The timer keeps no process alive, so something else has to.
    const alive = setInterval(() => {}, 1_000);
    assert.equal(await promise, 'expired');
    clearInterval(alive);
    budget.close();
  });

  it('coaps.md §5: what is released or forgotten has no share any more', () => {
    const { budget, forgotten, hold } = open(1);
    const first = hold('first');
    first?.release();
    first?.release();
    first?.touch();
    first?.pin();
    assert.equal(first?.resize(1), false);
    assert.equal(budget.octets, 0);
    assert.equal(budget.entries, 0);
    assert.deepEqual(forgotten, []);
  });

  it('coaps.md §5: the upload of one session makes room for that of another', async () => {
    const { budget, clock } = open(3);
    const sessions = Array.from({ length: 3 }, () => openSession({ budget, clock }));
    for (const session of sessions) await sendAll(session, uploadOf(bodyOf(200), 2).slice(0, 1));
    assert.deepEqual(
      sessions.map(({ ended }) => ended),
      [['upload evicted'], [], []],
    );
    const [first, second] = sessions;
    assert(first !== undefined && second !== undefined);
    const rest = uploadOf(bodyOf(200), 2).slice(1);
    assert.equal((await sendAll(first, rest)).code, responseCodes.requestEntityIncomplete);
    assert.equal((await sendAll(second, rest)).code, responseCodes.changed);
  });

  it('coaps.md §5: without room an upload is 5.03 with Max-Age', async () => {
    const session = openSession({ budgetOctets: entryOverheadOctets + 100 });
    const answer = await sendAll(session, uploadOf(bodyOf(200), 2).slice(0, 1));
    assert.equal(answer.code, responseCodes.serviceUnavailable);
    assert.equal(uintOf(answer, optionNumbers.maxAge), 10);
  });

  it('coaps.md §5: a body whose response is forgotten is forgotten with it: nothing is kept beside what is accounted for', async () => {
    const handle = answering({ code: responseCodes.changed, payload: bodyOf(600) });
    const session = openSession({ handle });
    await sendAll(session, uploadOf(bodyOf(200), 2));
    assert.equal(session.budget.entries, 2);
    await session.send(message({ path: ['est', 'sren'], payload: bodyOf(40) }));
    assert.equal(session.budget.entries, 1);
    session.clock.advance(entryLifeMs);
    session.budget.sweep();
    assert.deepEqual([session.budget.entries, session.budget.octets], [0, 0]);
  });

  it('coaps.md §5: a response finds the room that its request had', async () => {
    const handle = answering({ code: responseCodes.changed, payload: bodyOf(4_000) });
    const session = openSession({ handle, budgetOctets: 2 * entryOverheadOctets + 4_096 + 512 });
    assert.equal((await sendAll(session, uploadOf(bodyOf(4_096), 4))).code, responseCodes.changed);
  });

  it('coaps.md §5: a transfer is counted by direction and end, and what is held is shown', async () => {
    const metrics = createMetrics();
    const clock = createManualClock(start);
    const blockMetrics = createBlockMetrics(metrics);
    const budget = createBlockBudget({ maximumOctets: each, entryLifeMs, clock, metrics: blockMetrics });
    blockMetrics.ended('upload', 'complete');
    blockMetrics.unconfirmed();
    const hold = budget.hold(1_000, () => {});
    const text = await metrics.registry.metrics();
    assert.match(text, /gatehouse_coap_block_transfers_total\{direction="upload",outcome="complete"\} 1/);
    assert.match(text, new RegExp(`gatehouse_coap_block_state_octets ${each}`));
    assert.match(text, /gatehouse_coap_unconfirmed_deliveries_total 1/);
    hold?.release();
    budget.close();
  });
});
