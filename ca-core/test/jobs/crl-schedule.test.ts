// When CRLs are made, by the clock that tells the time and the one that never jumps.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planScope } from '../../src/jobs/crl-plan.ts';
import {
  crlValidity,
  debounceMs,
  eventBuildAt,
  isLate,
  isPeriodOver,
  nextCrlNumber,
  retryDelayMs,
} from '../../src/jobs/crl-schedule.ts';
import { buildAt, newTarget, noteChange, noteFailure, notePublished } from '../../src/jobs/crl-target.ts';
import { statusConfigurationSchema } from '../../src/revocation/status-configuration.ts';

const hour = 3_600_000;
const rhythm = { period: 24 * hour, overlap: 48 * hour };
const now = Date.parse('2026-06-01T12:00:00.789Z');
const second = Date.parse('2026-06-01T12:00:00Z');

describe('a CRL because of a change', () => {
  it('is made after a moment in which other changes may come', () => {
    assert.equal(eventBuildAt(1000, undefined), 1000 + debounceMs);
  });

  it('takes at most a tenth of the time when it is large', () => {
    const last = { endedAt: 1000, durationMs: 3000, entries: 1_000_000 };
    assert.equal(eventBuildAt(1000, last), 1000 + 9 * 3000);
    assert.equal(eventBuildAt(90_000, last), 90_000 + debounceMs);
  });

  it('does not wait long when it is small, however slow the machine is', () => {
    const last = { endedAt: 1000, durationMs: 3000, entries: 10 };
    assert.equal(eventBuildAt(1000, last), 1250);
  });
});

describe('RFC 5280 §5.1.2.4 and §5.1.2.5: the times of a CRL', () => {
  it('are whole seconds, and nextUpdate is the period and the overlap later', () => {
    assert.deepEqual(crlValidity(now, rhythm, undefined), { thisUpdate: second, nextUpdate: second + 72 * hour });
  });

  it('do not go back when the clock is set back a little', () => {
    assert.equal(crlValidity(now, rhythm, second + 60_000).thisUpdate, second + 60_000);
  });

  it('are right again when the clock was set back by more: what came before was wrong', () => {
    assert.equal(crlValidity(now, rhythm, second + 365 * 24 * hour).thisUpdate, second);
  });

  it('are over after the period, or when they have not come', () => {
    assert.equal(isPeriodOver(now, second, rhythm), false);
    assert.equal(isPeriodOver(now, second - rhythm.period, rhythm), true);
    assert.equal(isPeriodOver(now, second + 24 * hour, rhythm), true);
  });

  it('are late when a third of the overlap is left', () => {
    assert.equal(isLate(now, now + 17 * hour, rhythm), false);
    assert.equal(isLate(now, now + 16 * hour, rhythm), true);
    assert.equal(isLate(now, now - 1, rhythm), true);
  });
});

describe('RFC 5280 §5.2.3: the number of a CRL', () => {
  it('is the time, so that it rises also after a restore', () => assert.equal(nextCrlNumber(now, 17), now));
  it('is above the last one, also when the clock was set back', () =>
    assert.equal(nextCrlNumber(now, now + 5), now + 6));
});

describe('a CRL that could not be made', () => {
  it('is tried again after pauses that grow to half a minute', () => {
    assert.deepEqual([1, 2, 3, 20].map(retryDelayMs), [250, 500, 1000, 30_000]);
  });
});

describe('the state of a CRL', () => {
  const configuration = statusConfigurationSchema.parse({}).issuing.crl;
  const [plan] = planScope('issuing', configuration, { current: undefined, all: [], since: 0 });
  assert.ok(plan);
  const crl = {
    scope: 'issuing',
    number: 1,
    baseNumber: undefined,
    thisUpdate: second,
    nextUpdate: second + 72 * hour,
    changePosition: 7,
    entries: 1,
    size: 1,
    sha256: new Uint8Array(32),
  };
  const published = () => {
    const target = newTarget(plan);
    target.state = 'idle';
    notePublished(target, crl, { endedAt: 0, durationMs: 10, entries: 1 });
    return target;
  };

  it('lets nothing be made while it is looked at or made', () => {
    const target = newTarget(plan);
    assert.equal(buildAt(target, now, 5), undefined);
    target.state = 'idle';
    assert.equal(buildAt(target, now, 5), 5);
    target.state = 'building';
    assert.equal(buildAt(target, now, 5), undefined);
  });

  it('asks for nothing when everything is on the CRL', () => {
    assert.equal(buildAt(published(), now, 1000), undefined);
  });

  it('asks for another one after a change, from the first one on', () => {
    const target = published();
    noteChange(target, 8, 1000);
    noteChange(target, 9, 1040);
    assert.equal(buildAt(target, now, 1040), 1000 + debounceMs);
  });

  it('asks for none for a change that was heard of late and is on it already', () => {
    const target = published();
    noteChange(target, 9, 1000);
    notePublished(target, { ...crl, number: 2, changePosition: 9 }, { endedAt: 1010, durationMs: 10, entries: 1 });
    assert.equal(buildAt(target, now, 1040), undefined);
  });

  it('keeps a change for which no CRL could be made', () => {
    const target = published();
    noteFailure(target, 900, 1000);
    assert.equal(buildAt(target, now, 1000), 1250);
  });

  it('makes one at once for somebody who waits for it', () => {
    const target = published();
    target.wishes.push({ actor: 'operator', resolve: () => undefined, reject: () => undefined });
    assert.equal(buildAt(target, now, 1000), 1000);
  });
});
