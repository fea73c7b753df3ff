// How long an order waits for its next attempt, after many that failed.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CoreError, type CoreErrorType } from '@gatehouse/ra-client/core-error';
import { judgeFailure } from '../../src/issuance-failure.ts';

const now = new Date('2026-11-21T12:00:00Z');
const order = { attempts: 7, expiresAt: new Date('2026-11-28T12:00:00Z') };

function waitMsAfter(code: CoreErrorType): number {
  const verdict = judgeFailure(new CoreError(code, 'not now'), order, now);
  assert.equal(verdict.kind, 'wait');
  return verdict.waitMs;
}

describe('acme.md §3, rule 2: an order that was tried many times', () => {
  it('goes on within seconds of the return of the keep, however often it was killed', () => {
    assert.ok(waitMsAfter('unavailable') <= 6_000);
  });

  it('leaves a keep alone that has too much to do, or that fails', () => {
    assert.ok(waitMsAfter('rate-limited') >= 48_000);
    assert.ok(waitMsAfter('internal') >= 48_000);
  });
});
