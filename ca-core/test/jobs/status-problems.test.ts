// What readiness says of published status.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type StatusState, statusProblems } from '../../src/jobs/status-problems.ts';

const sound: StatusState = { thread: undefined, lateCrls: [], isRootCrlOver: false, isResponderOver: false };
const checks = (changes: Partial<StatusState>) => statusProblems({ ...sound, ...changes }).map(({ check }) => check);

it('nothing, when everything is published', () => assert.deepEqual(checks({}), []));

it('a thread that is down, a responder that is over, a root’s CRL that is over', () => {
  assert.deepEqual(checks({ thread: 'it is down' }), ['status']);
  assert.deepEqual(checks({ isResponderOver: true }), ['status']);
  assert.deepEqual(checks({ isRootCrlOver: true }), ['crl']);
});

it('CRLs that are late, by the name of the first and how many there are', () => {
  const detail = (lateCrls: readonly string[]) => statusProblems({ ...sound, lateCrls })[0]?.detail ?? '';
  assert.match(detail(['issuing-1']), /the CRL issuing-1 is missing/);
  assert.match(detail(['issuing-1', 'issuing-2', 'issuing']), /issuing-1 and 2 more/);
});
