import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createManualClock, type ManualClock } from '@gatehouse/runtime/clock';
import type { StateOperation, StateStore } from '@gatehouse/runtime/database/state-store';
import fc from 'fast-check';
import { acmeSchema } from '../src/config.ts';
import { AcmeError } from '../src/errors.ts';
import type { Identifier } from '../src/identifier.ts';
import { createRateLimits, type RateLimits } from '../src/rate-limits.ts';
import { forgetFailuresOf, listPausedNames } from '../src/state/rate-limits.ts';
import { dialects, type MakeState } from './support/dialects.ts';

const minute = 60_000;
const start = new Date('2026-03-01T12:00:00Z');

type Bench = {
  readonly clock: ManualClock;
  readonly store: StateStore;
  readonly limits: RateLimits;
  /** The same limits as another copy of the gate counts them. */
  openCopy(): Promise<RateLimits>;
  attempt(operations: readonly StateOperation[]): Promise<AcmeError | undefined>;
};

const settingsOf = (rates: object) =>
  acmeSchema.parse({
    core: { addresses: ['127.0.0.1:5280'], credential: 'credential.pem' },
    rates: { accountsPerAddress: { count: 3, per: '30m' }, ...rates },
  }).rates;

async function prepare(context: TestContext, make: MakeState, rates: object = {}, isEnabled = true): Promise<Bench> {
  const clock = createManualClock(start);
  const { store, openCopy } = await make(context, clock);
  const settings = settingsOf(rates);
  const limits = createRateLimits({ settings, isEnabled, store, clock });
  return {
    clock,
    store,
    limits,
    openCopy: async () => createRateLimits({ settings, isEnabled, store: await openCopy(), clock }),
    attempt: async (operations) => {
      try {
        await store.commit(operations);
        return undefined;
      } catch (error) {
        const explained = await limits.explain(error);
        assert.ok(explained instanceof AcmeError, String(error));
        assert.equal(explained.type, 'rateLimited');
        assert.equal(explained.status, 429);
        return explained;
      }
    },
  };
}

for (const [dialect, make] of Object.entries(dialects)) {
  describe(`RFC 8555 §6.6: limits on ${dialect}`, () => {
    it('grant as many at once as they say, and then one each interval', async (context) => {
      const { attempt, limits, clock } = await prepare(context, make);
      for (let i = 0; i < 3; i++) assert.equal(await attempt(limits.forAccount('192.0.2.1')), undefined);
      assert.equal((await attempt(limits.forAccount('192.0.2.1')))?.options.retryAfterSeconds, 600);
      clock.advance(4 * minute);
      assert.equal((await attempt(limits.forAccount('192.0.2.1')))?.options.retryAfterSeconds, 360);
      clock.advance(6 * minute);
      assert.equal(await attempt(limits.forAccount('192.0.2.1')), undefined);
      assert.notEqual(await attempt(limits.forAccount('192.0.2.1')), undefined);
      clock.advance(60 * minute);
      for (let i = 0; i < 3; i++) assert.equal(await attempt(limits.forAccount('192.0.2.1')), undefined);
      assert.notEqual(await attempt(limits.forAccount('192.0.2.1')), undefined);
    });

    it('say which limit it is, when to try again, and where to read more', async (context) => {
      const { attempt, limits } = await prepare(context, make, {
        accountsPerAddress: { count: 1, per: '3h' },
        help: 'https://ca.example/limits',
      });
      await attempt(limits.forAccount('192.0.2.1'));
      const refusal = await attempt(limits.forAccount('192.0.2.1'));
      assert.equal(refusal?.detail, 'too many new accounts from 192.0.2.1: 1 in 3h; try again in 3h');
      assert.deepEqual(refusal?.options.links, [{ url: 'https://ca.example/limits', rel: 'help' }]);
    });

    it('count an IPv6 site, its /48, as one', async (context) => {
      const { attempt, limits } = await prepare(context, make, { accountsPerAddress: { count: 1, per: '1h' } });
      assert.equal(await attempt(limits.forAccount('2001:db8:1:2::1')), undefined);
      assert.match((await attempt(limits.forAccount('2001:db8:1:ffff::9')))?.detail ?? '', /from 2001:db8:1::\/48/);
      assert.equal(await attempt(limits.forAccount('2001:db8:2::1')), undefined);
    });

    it('count orders by account', async (context) => {
      const { attempt, limits } = await prepare(context, make, { ordersPerAccount: { count: 2, per: '1h' } });
      assert.equal(await attempt(order(limits, 'a', ['one.example'])), undefined);
      assert.equal(await attempt(order(limits, 'a', ['two.example.net'])), undefined);
      assert.match((await attempt(order(limits, 'a', ['three.org'])))?.detail ?? '', /new orders of this account/);
      assert.equal(await attempt(order(limits, 'b', ['three.org'])), undefined);
    });

    it('count orders by the registered domain, whatever account and name below it', async (context) => {
      const { attempt, limits } = await prepare(context, make, { ordersPerDomain: { count: 2, per: '1h' } });
      assert.equal(await attempt(order(limits, 'a', ['www.example.co.uk', '*.example.co.uk'])), undefined);
      assert.equal(await attempt(order(limits, 'b', ['example.co.uk'])), undefined);
      assert.match(
        (await attempt(order(limits, 'c', ['x.example.co.uk'])))?.detail ?? '',
        /for example\.co\.uk: 2 in 1h/,
      );
      assert.equal(await attempt(order(limits, 'c', ['x.other.co.uk'])), undefined);
      // A private suffix belongs to whoever registered the name below the public one.
      assert.equal(await attempt(order(limits, 'c', ['a.github.io'])), undefined);
      assert.equal(await attempt(order(limits, 'd', ['b.github.io'])), undefined);
      assert.match((await attempt(order(limits, 'e', ['c.github.io'])))?.detail ?? '', /for github\.io/);
    });

    it('count orders by the exact set of names', async (context) => {
      const { attempt, limits } = await prepare(context, make, { ordersPerNames: { count: 1, per: '1h' } });
      assert.equal(await attempt(order(limits, 'a', ['a.example.com', 'b.example.com'])), undefined);
      assert.match(
        (await attempt(order(limits, 'b', ['a.example.com', 'b.example.com'])))?.detail ?? '',
        /exactly these/,
      );
      assert.equal(await attempt(order(limits, 'b', ['a.example.com'])), undefined);
    });

    it('take nothing when another limit, or anything else in the commit, refuses', async (context) => {
      const { attempt, limits, store } = await prepare(context, make, {
        ordersPerAccount: { count: 2, per: '1h' },
        ordersPerNames: { count: 1, per: '1h' },
      });
      assert.equal(await attempt(order(limits, 'a', ['a.example.com'])), undefined);
      for (let i = 0; i < 5; i++) assert.notEqual(await attempt(order(limits, 'a', ['a.example.com'])), undefined);
      const failing = {
        sql: 'delete from "orders"',
        parameters: [],
        expects: { rows: 1, otherwise: () => new RangeError() },
      };
      for (let i = 0; i < 5; i++) {
        await assert.rejects(store.commit([...order(limits, 'a', ['b.example.com']), failing]), RangeError);
      }
      assert.equal(await attempt(order(limits, 'a', ['b.example.com'])), undefined);
    });

    it('are one limit for all copies of the gate', async (context) => {
      const { store, limits, openCopy } = await prepare(context, make, { accountsPerAddress: { count: 7, per: '1h' } });
      const copies = [limits, await openCopy()];
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (_, i) => store.commit(copies[i % 2]?.forAccount('192.0.2.1') ?? [])),
      );
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 7);
    });

    it('refuse a name of an account after failures, until time has passed', async (context) => {
      const { limits, store, clock } = await prepare(context, make, { failuresPerName: { count: 3, per: '30m' } });
      for (let i = 0; i < 3; i++) {
        await limits.refuseFailing('a', ['bad.example', 'good.example']);
        await store.commit(limits.forFailure('a', 'bad.example'));
      }
      await assert.rejects(limits.refuseFailing('a', ['good.example', 'bad.example']), (error) => {
        assert.ok(error instanceof AcmeError);
        assert.match(error.detail, /failed validations of bad\.example by this account: 3 in 30m/);
        assert.equal(error.options.retryAfterSeconds, 600);
        return true;
      });
      await limits.refuseFailing('a', ['good.example']);
      await limits.refuseFailing('b', ['bad.example']);
      clock.advance(10 * minute);
      await limits.refuseFailing('a', ['bad.example']);
      // Attempts that were under way all the same never add up to more than the limit.
      for (let i = 0; i < 9; i++) await store.commit(limits.forFailure('a', 'bad.example'));
      clock.advance(10 * minute);
      await limits.refuseFailing('a', ['bad.example']);
    });

    it('pause a name that fails on end, until somebody unpauses it', async (context) => {
      const { limits, store, clock } = await prepare(context, make, { pauseAfter: 4 });
      const fail = async (): Promise<void> => {
        await store.commit(limits.forFailure('a', 'bad.example'));
        clock.advance(24 * 60 * minute);
      };
      for (let i = 0; i < 3; i++) await fail();
      await store.commit(limits.forSuccess('a', 'bad.example'));
      for (let i = 0; i < 3; i++) await fail();
      await limits.refuseFailing('a', ['bad.example']);
      await fail();
      await assert.rejects(limits.refuseFailing('a', ['good.example', 'bad.example']), /bad\.example is paused/);
      await limits.refuseFailing('b', ['bad.example']);
      await fail();
      const [paused] = await listPausedNames(store);
      assert.equal(paused?.name, 'bad.example');
      assert.equal(paused?.failures, 5);
      assert.equal(paused?.pausedAt.toISOString(), '2026-03-07T12:00:00.000Z');
      assert.deepEqual(await listPausedNames(store, { accountId: 'a', name: 'bad.example' }), []);
      await store.commit([forgetFailuresOf('a')]);
      await limits.refuseFailing('a', ['bad.example']);
    });

    it('let go of who was counted before the clock was set back', async (context) => {
      const { attempt, limits, clock } = await prepare(context, make);
      for (let i = 0; i < 3; i++) await attempt(limits.forAccount('192.0.2.1'));
      clock.advance(-30 * 24 * 60 * minute);
      assert.equal((await attempt(limits.forAccount('192.0.2.1')))?.options.retryAfterSeconds, 600);
      clock.advance(10 * minute);
      assert.equal(await attempt(limits.forAccount('192.0.2.1')), undefined);
    });

    it('never grant more than the limit in any time, and never refuse below it', async (context) => {
      const bench = await prepare(context, make, { accountsPerAddress: { count: 4, per: '40s' } });
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(15_000), { minLength: 5, maxLength: 40 }), async (pauses) => {
          const address = `192.0.2.${run++}`;
          // The same by the definition of the algorithm, with real numbers.
          let arrival = 0;
          for (const pause of pauses) {
            bench.clock.advance(pause);
            const now = bench.clock.now().getTime();
            const next = Math.max(arrival, now) + 10_000;
            const refusal = await bench.attempt(bench.limits.forAccount(address));
            assert.equal(refusal === undefined, next <= now + 40_000);
            if (refusal === undefined) arrival = next;
            else assert.equal(refusal.options.retryAfterSeconds, Math.ceil((next - now - 40_000) / 1000));
          }
        }),
        { numRuns: 25 },
      );
    });

    it('do nothing while they do not hold', async (context) => {
      const { limits, store } = await prepare(context, make, {}, false);
      assert.deepEqual(limits.forAccount('192.0.2.1'), []);
      assert.deepEqual(order(limits, 'a', ['a.example']), []);
      assert.deepEqual(limits.forFailure('a', 'a.example'), []);
      assert.deepEqual(limits.forSuccess('a', 'a.example'), []);
      await limits.refuseFailing('a', ['a.example']);
      assert.deepEqual(await store.all({ sql: 'select * from "rate_limits" limit 1' }), []);
    });

    it('pass on what is no refusal of theirs', async (context) => {
      const { limits } = await prepare(context, make);
      const error = new Error('something else');
      assert.equal(await limits.explain(error), error);
    });
  });
}

function order(limits: RateLimits, accountId: string, names: readonly string[]): readonly StateOperation[] {
  const identifiers = names.map((value): Identifier => ({ type: 'dns', value }));
  return limits.forOrder({ accountId, identifiers, identifiersDigest: [...names].sort().join() });
}
