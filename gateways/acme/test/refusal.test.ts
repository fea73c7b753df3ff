// What a request that failed is answered with, by what it failed of.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BodyError } from '@gatehouse/gateway-kit/body';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { DatabaseError } from '@gatehouse/runtime/database/error';
import { StateUnavailableError } from '@gatehouse/runtime/database/state-store';
import { createLog } from '@gatehouse/runtime/log';
import { AcmeError } from '../src/errors.ts';
import { toRefusal } from '../src/refusal.ts';

const explainNothing = (one: unknown): Promise<unknown> => Promise.resolve(one);

const ask = async (error: unknown, explain = explainNothing) => {
  const lines: string[] = [];
  const facts: Record<string, unknown> = {};
  const log = createLog({ name: 'test', level: 'info', destination: { write: (line) => void lines.push(line) } });
  const rates = { explain };
  const refusal = await toRefusal(
    { log, rates },
    { requestId: 'R1', note: (more) => void Object.assign(facts, more) },
    error,
  );
  return { refusal, facts, log: lines.join('') };
};

describe('RFC 8555 §6.7: what a request failed of', () => {
  it('is what the gate says itself, with its cause in the log alone', async () => {
    const { refusal, facts } = await ask(new AcmeError('badCSR', 'no', { cause: new Error('inside') }));
    assert.deepEqual([refusal.type, refusal.status, refusal.detail], ['badCSR', 400, 'no']);
    assert.deepEqual(facts, { outcome: 'badCSR', detail: 'no', cause: 'Error: inside' });
  });

  it('is the body: its size, its form, its slowness', async () => {
    for (const [code, status] of [
      ['too-large', 413],
      ['malformed', 400],
      ['too-slow', 408],
      ['aborted', 400],
    ] as const) {
      const { refusal } = await ask(new BodyError(code, 'why'));
      assert.deepEqual([refusal.type, refusal.status], ['malformed', status]);
    }
  });

  it('is a database that is away: 503 with Retry-After', async () => {
    const { refusal } = await ask(
      new StateUnavailableError('the disk at /var/x is full', new DatabaseError('io', 'disk I/O error')),
    );
    assert.deepEqual([refusal.type, refusal.status, refusal.options.retryAfterSeconds], ['serverInternal', 503, 5]);
    assert.ok(!refusal.detail.includes('/var/x'));
  });

  it('is a limit, which says for how long while the database can tell', async () => {
    const limit = new AcmeError('rateLimited', 'too many; try again', { retryAfterSeconds: 60 });
    const exact = new AcmeError('rateLimited', 'too many; try again in 7s', { retryAfterSeconds: 7 });
    assert.equal((await ask(limit, () => Promise.resolve(exact))).refusal, exact);
    const away = new StateUnavailableError('no database', new DatabaseError('io', 'disk I/O error'));
    assert.equal((await ask(limit, () => Promise.reject(away))).refusal, limit);
  });

  it('is the keep, which the operator hears of where the gate itself is not believed', async () => {
    const away = await ask(new CoreError('unavailable', 'no core at 10.0.0.1'));
    assert.deepEqual([away.refusal.status, away.log], [503, '']);
    assert.ok(!away.refusal.detail.includes('10.0.0.1'));
    const disbelieved = await ask(new CoreError('evidence-invalid', 'a statement is forged'));
    assert.equal(disbelieved.refusal.type, 'unauthorized');
    assert.match(disbelieved.log, /"level":"error".*refuses what this gate does or vouches for/);
  });

  it('is anything else: an incident, of which nothing leaves the house', async () => {
    for (const error of [new TypeError('x is not a function at /work/x.ts'), 'text', undefined]) {
      const { refusal, log } = await ask(error);
      assert.deepEqual([refusal.status, refusal.detail], [500, 'internal error, incident R1']);
      assert.match(log, /"requestId":"R1".*failed unexpectedly/);
    }
  });
});
