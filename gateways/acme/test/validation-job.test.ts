// The worker of validations and its leases, on both databases: what is committed together, who takes up what another copy of
// the gate left, and that who lost a lease changes nothing.

import assert from 'node:assert/strict';
import { afterEach, describe, it, type TestContext } from 'node:test';
import { createManualClock, type ManualClock } from '@gatehouse/runtime/clock';
import type { StateStore } from '@gatehouse/runtime/database/state-store';
import { newUnguessableId } from '@gatehouse/runtime/identifiers';
import { createMetrics } from '@gatehouse/runtime/metrics';
import type { Validation, ValidationOutcome } from '../src/perspectives/validation.ts';
import type { RateLimits } from '../src/rate-limits.ts';
import type { Account } from '../src/state/accounts.ts';
import {
  deactivateAuthorization,
  insertAuthorization,
  readAuthorization,
  StateChangedError,
} from '../src/state/authorizations.ts';
import { endLeftLeases } from '../src/state/left-leases.ts';
import { insertOrder, readOrder } from '../src/state/orders.ts';
import { readStatements } from '../src/state/statements.ts';
import { attemptChallenge } from '../src/state/validations.ts';
import { newValidationLease, startValidation, type ValidationJob } from '../src/validation-job.ts';
import { dialects, type MakeState, type SharedState } from './support/dialects.ts';
import { createTestLog } from './support/log.ts';
import { storeAccount } from './support/memory-state.ts';
import { pollUntil } from './support/poll.ts';

const start = new Date('2026-11-21T12:00:00Z');
const noLimits: RateLimits = {
  forAccount: () => [],
  forOrder: () => [],
  forFailure: () => [],
  forSuccess: () => [],
  refuseFailing: async () => {},
  explain: async (error) => error,
};

let store: StateStore;
let openCopy: SharedState['openCopy'];
let account: Account;
let clock: ManualClock;
const jobs: ValidationJob[] = [];

async function prepare(context: TestContext, make: MakeState): Promise<void> {
  clock = createManualClock(start);
  ({ store, openCopy } = await make(context, clock));
  account = await storeAccount(store);
}

// Before the stores are closed, which the context does.
afterEach(async () => {
  for (const job of jobs.splice(0)) await job.close();
});

function passed(): ValidationOutcome {
  const set = { attempt: 'attempt', checkedAt: start, goodUntil: new Date(start.getTime() + 3_600_000) };
  return {
    kind: 'passed',
    statements: [
      { ...set, check: 'dcv', statements: ['a', 'b'] },
      { ...set, check: 'caa', statements: ['c'] },
    ],
    expiresAt: new Date(start.getTime() + 86_400_000),
  };
}

const failed: ValidationOutcome = {
  kind: 'failed',
  problem: { type: 'dns', detail: 'NXDOMAIN' },
  isOurFault: false,
};

/** One copy of the gate, with connections of its own. */
async function copy(worker: string, validate: Validation['validate']) {
  const { log, lines } = createTestLog();
  const validation: Validation = {
    validate,
    freshStatements: async () => [],
    readiness: () => [],
    close: async () => {},
  };
  const parts = {
    store: await openCopy(),
    validation,
    rates: noLimits,
    clock,
    log,
    metrics: createMetrics('test_'),
    worker,
  };
  const job = startValidation(parts);
  jobs.push(job);
  return { worker, job, lines, lease: () => newValidationLease({ worker, clock }) };
}

/** An order with so many authorizations, none of them attempted. */
async function storePending(count = 1): Promise<{ readonly orderId: string; readonly ids: readonly string[] }> {
  const orderId = newUnguessableId();
  const ids = Array.from({ length: count }, () => newUnguessableId());
  const names = ids.map((_, i) => `n${i}.example`);
  const expiresAt = new Date(start.getTime() + 86_400_000);
  await store.commit([
    insertOrder({
      id: orderId,
      accountId: account.id,
      status: 'pending',
      identifiers: names.map((value) => ({ type: 'dns', value })),
      identifiersDigest: '00',
      profile: 'plain',
      notBefore: undefined,
      notAfter: undefined,
      authorizations: ids,
      pendingAuthorizations: count,
      replaces: undefined,
      createdAt: start,
      expiresAt,
    }),
    ...ids.map((id, i) =>
      insertAuthorization({
        id,
        accountId: account.id,
        orderId,
        status: 'pending',
        identifier: { type: 'dns', value: names[i] ?? '', isWildcard: false },
        profile: 'plain',
        token: 'token',
        methods: ['http-01'],
        externalAccount: undefined,
        createdAt: start,
        expiresAt,
      }),
    ),
  ]);
  return { orderId, ids };
}

async function settled(id: string) {
  return await pollUntil(async () => {
    const found = await readAuthorization(store, id);
    return found?.status === 'pending' ? undefined : found;
  });
}

for (const [dialect, make] of Object.entries(dialects)) {
  describe(`acme.md §3: what is committed together, on ${dialect}`, () => {
    it('makes an order ready with the last of its authorizations, however they end at once', async (context) => {
      await prepare(context, make);
      const { orderId, ids } = await storePending(8);
      const { job, worker, lease } = await copy('one', async () => passed());
      for (const id of ids) await store.commit([attemptChallenge(id, 'http-01', account.thumbprint, lease())]);
      for (const id of ids) job.wake(id);
      for (const id of ids) assert.equal((await settled(id))?.status, 'valid');
      assert.equal((await readOrder(store, orderId))?.status, 'ready');
      const sets = await readStatements(store, ids);
      assert.deepEqual(sets.get(ids[0] ?? '')?.dcv?.statements, ['a', 'b']);
      assert.deepEqual(sets.get(ids[7] ?? '')?.caa?.statements, ['c']);
      assert.equal((await readAuthorization(store, ids[0] ?? ''))?.leaseOwner, undefined, worker);
    });

    it('makes an order invalid with the first of its authorizations that fails, and says which', async (context) => {
      await prepare(context, make);
      const { orderId, ids } = await storePending(2);
      const [id = ''] = ids;
      const { job, lease } = await copy('one', async () => failed);
      await store.commit([attemptChallenge(id, 'http-01', account.thumbprint, lease())]);
      job.wake(id);
      const decided = await settled(id);
      assert.equal(decided?.status, 'invalid');
      assert.match(decided?.error ?? '', /NXDOMAIN/);
      const order = await readOrder(store, orderId);
      assert.equal(order?.status, 'invalid');
      assert.match(order?.error ?? '', /n0\.example/);
    });

    it('never makes an order ready again that became invalid meanwhile', async (context) => {
      await prepare(context, make);
      const { orderId, ids } = await storePending(2);
      const [first = '', second = ''] = ids;
      const outcomes = new Map([
        [first, failed],
        [second, passed()],
      ]);
      const { job, lease } = await copy('one', async ({ id }) => outcomes.get(id) ?? failed);
      for (const id of ids) await store.commit([attemptChallenge(id, 'http-01', account.thumbprint, lease())]);
      job.wake(first);
      await settled(first);
      job.wake(second);
      assert.equal((await settled(second))?.status, 'valid');
      assert.equal((await readOrder(store, orderId))?.status, 'invalid');
    });

    it('lets one of two attempts of a challenge be the first', async (context) => {
      await prepare(context, make);
      const { ids } = await storePending();
      const [id = ''] = ids;
      const { lease } = await copy('one', async () => passed());
      await store.commit([attemptChallenge(id, 'http-01', account.thumbprint, lease())]);
      await assert.rejects(
        store.commit([attemptChallenge(id, 'dns-01', account.thumbprint, lease())]),
        StateChangedError,
      );
    });
  });

  describe(`acme.md §3, rules 3 and 7: leases on ${dialect}`, () => {
    it('of a copy that died go to another one when they end, and not before', async (context) => {
      await prepare(context, make);
      const { ids } = await storePending();
      const [id = ''] = ids;
      await store.commit([
        attemptChallenge(id, 'http-01', account.thumbprint, newValidationLease({ worker: 'dead', clock })),
      ]);
      const { job } = await copy('two', async () => passed());
      await job.sweep();
      assert.equal((await readAuthorization(store, id))?.leaseOwner, 'dead');
      clock.advance(30_000);
      await job.sweep();
      assert.equal((await settled(id))?.status, 'valid');
    });

    it('of a gate that was killed end when it starts again, where nobody else can have them', async (context) => {
      await prepare(context, make);
      const [id = ''] = (await storePending()).ids;
      await store.commit([
        attemptChallenge(id, 'http-01', account.thumbprint, newValidationLease({ worker: 'dead', clock })),
      ]);
      await endLeftLeases(store);
      const { job } = await copy('two', async () => passed());
      await job.sweep();
      if (store.dialect === 'sqlite') assert.equal((await settled(id))?.status, 'valid');
      else assert.equal((await readAuthorization(store, id))?.leaseOwner, 'dead');
    });

    it('are taken by one of many copies', async (context) => {
      await prepare(context, make);
      const { ids } = await storePending(5);
      const dead = newValidationLease({ worker: 'dead', clock });
      for (const id of ids) await store.commit([attemptChallenge(id, 'http-01', account.thumbprint, dead)]);
      clock.advance(30_000);
      const validated: string[] = [];
      const copies: Awaited<ReturnType<typeof copy>>[] = [];
      for (const worker of ['a', 'b', 'c']) {
        const validate: Validation['validate'] = async ({ id }) => {
          validated.push(id);
          return passed();
        };
        copies.push(await copy(worker, validate));
      }
      await Promise.all(copies.map(({ job }) => job.sweep()));
      for (const id of ids) await settled(id);
      assert.deepEqual(validated.toSorted(), ids.toSorted());
    });

    it('that were lost change nothing: the first outcome stands', async (context) => {
      await prepare(context, make);
      const { orderId, ids } = await storePending();
      const [id = ''] = ids;
      const { promise, resolve } = Promise.withResolvers<ValidationOutcome>();
      const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
      const slow = await copy('slow', () => {
        ask();
        return promise;
      });
      await store.commit([attemptChallenge(id, 'http-01', account.thumbprint, slow.lease())]);
      slow.job.wake(id);
      await asked;
      // The process stood still: its lease ended, another copy took it and finished.
      clock.advance(30_000);
      const quick = await copy('quick', async () => passed());
      await quick.job.sweep();
      assert.equal((await settled(id))?.status, 'valid');
      resolve(failed);
      await pollUntil(async () => slow.lines().find(({ msg }) => /another copy has the lease/.test(String(msg))));
      assert.equal((await readAuthorization(store, id))?.status, 'valid');
      assert.equal((await readOrder(store, orderId))?.status, 'ready');
    });

    it('that another copy holds now are not used, even before it has finished', async (context) => {
      await prepare(context, make);
      const { ids } = await storePending();
      const [id = ''] = ids;
      const { promise, resolve } = Promise.withResolvers<ValidationOutcome>();
      const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
      const slow = await copy('slow', () => {
        ask();
        return promise;
      });
      await store.commit([attemptChallenge(id, 'http-01', account.thumbprint, slow.lease())]);
      slow.job.wake(id);
      await asked;
      clock.advance(30_000);
      const { promise: held, resolve: release } = Promise.withResolvers<ValidationOutcome>();
      const other = await copy('other', () => held);
      await other.job.sweep();
      resolve(passed());
      await pollUntil(async () => slow.lines().find(({ msg }) => /another copy has the lease/.test(String(msg))));
      const found = await readAuthorization(store, id);
      assert.deepEqual([found?.status, found?.leaseOwner], ['pending', 'other']);
      release(passed());
      await settled(id);
    });

    it('of an authorization that is deactivated end with it', async (context) => {
      await prepare(context, make);
      const { ids } = await storePending();
      const [id = ''] = ids;
      const { promise, resolve } = Promise.withResolvers<ValidationOutcome>();
      const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
      const { job, lease, lines } = await copy('one', () => {
        ask();
        return promise;
      });
      await store.commit([attemptChallenge(id, 'http-01', account.thumbprint, lease())]);
      job.wake(id);
      await asked;
      await store.commit([deactivateAuthorization(id)]);
      resolve(passed());
      await pollUntil(async () => lines().find(({ msg }) => /deactivated/.test(String(msg))));
      assert.equal((await readAuthorization(store, id))?.status, 'deactivated');
    });

    it('are nobody’s reason to work on what they did not lease', async (context) => {
      await prepare(context, make);
      const { ids } = await storePending();
      const [id = ''] = ids;
      await store.commit([
        attemptChallenge(id, 'http-01', account.thumbprint, newValidationLease({ worker: 'other', clock })),
      ]);
      let asked = 0;
      const { job } = await copy('one', async () => {
        asked++;
        return passed();
      });
      job.wake(id);
      await job.close();
      assert.equal(asked, 0);
    });
  });

  describe(`RFC 8555 §8.2: own retries on ${dialect}`, () => {
    it('are made when the fault is ours, and the client sees processing meanwhile', async (context) => {
      await prepare(context, make);
      const { ids } = await storePending();
      const [id = ''] = ids;
      const outcomes: ValidationOutcome[] = [
        { kind: 'failed', problem: { type: 'serverInternal', detail: 'nobody answered' }, isOurFault: true },
        passed(),
      ];
      const { job, lease } = await copy('one', async () => outcomes.shift() ?? failed);
      await store.commit([attemptChallenge(id, 'http-01', account.thumbprint, lease())]);
      job.wake(id);
      assert.equal((await settled(id))?.status, 'valid');
    });

    it('end with the process, whose lease then ends for another copy', async (context) => {
      await prepare(context, make);
      const { ids } = await storePending();
      const [id = ''] = ids;
      const { promise: asked, resolve } = Promise.withResolvers<void>();
      const { job, lease } = await copy('one', async () => {
        resolve();
        return { kind: 'failed', problem: { type: 'serverInternal', detail: 'nobody' }, isOurFault: true };
      });
      await store.commit([attemptChallenge(id, 'http-01', account.thumbprint, lease())]);
      job.wake(id);
      await asked;
      await job.close();
      assert.equal((await readAuthorization(store, id))?.status, 'pending');
    });
  });
}
