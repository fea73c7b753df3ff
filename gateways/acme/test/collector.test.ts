import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { createManualClock } from '@gatehouse/runtime/clock';
import type { StateOperation, StateStore } from '@gatehouse/runtime/database/state-store';
import { createLog } from '@gatehouse/runtime/log';
import { startCollector } from '../src/collector.ts';
import { dialects } from './support/dialects.ts';

const day = 86_400_000;
const start = new Date('2026-03-01T00:00:00Z');
const log = createLog({ name: 'test', level: 'silent' });

for (const [dialect, make] of Object.entries(dialects)) {
  describe(`what is over, on ${dialect}`, () => {
    it('goes, and what is not stays', async (context) => {
      const clock = createManualClock(start);
      const { store } = await make(context, clock);
      const at = (days: number): number => start.getTime() + days * day;
      await store.commit(
        [
          nonce('old', at(-0.01)),
          nonce('new', at(0.01)),
          limit('settled', at(-1)),
          limit('owing', at(1)),
          order('long over', 'valid', at(-8)),
          order('lately over', 'valid', at(-6)),
          order('never finalized', 'pending', at(-8)),
          order('still processed', 'processing', at(-300)),
          authorization('long over', at(-9)),
          authorization('lately over', at(-7)),
          statements('long over', 'dcv'),
          statements('long over', 'caa'),
          statements('lately over', 'dcv'),
          certificate('long over', at(-91)),
          certificate('lately over', at(-89)),
          pausedName('forgotten', at(-31), null),
          pausedName('failing', at(-29), null),
          pausedName('paused', at(-300), at(-300)),
        ].map(insert),
      );
      const collector = startCollector({ store, clock, log });
      const counts = { nonces: 1, rate_limits: 1, orders: 2, authorizations: 1, certificates: 1 };
      assert.deepEqual(await collector.collect(), counts);
      assert.deepEqual(await column(store, 'nonces', 'nonce'), ['new']);
      assert.deepEqual(await column(store, 'rate_limits', 'key'), ['owing']);
      assert.deepEqual(await column(store, 'orders', 'id'), ['lately over', 'still processed']);
      assert.deepEqual(await column(store, 'authorizations', 'id'), ['lately over']);
      assert.deepEqual(await column(store, 'statements', 'authorization_id'), ['lately over']);
      assert.deepEqual(await column(store, 'certificates', 'id'), ['lately over']);
      assert.deepEqual(await column(store, 'paused_names', 'name'), ['failing', 'paused']);
      await collector.close();
    });

    it('is removed by two copies at once without harm', async (context) => {
      const clock = createManualClock(start);
      const { store, openCopy } = await make(context, clock);
      await fill(store, 2_000, start.getTime() - 10 * day);
      const collectors = [store, await openCopy()].map((copy) => startCollector({ store: copy, clock, log }));
      await Promise.all(collectors.map((collector) => collector.collect()));
      assert.deepEqual(await column(store, 'orders', 'id'), []);
      assert.deepEqual(await column(store, 'statements', 'authorization_id'), []);
      for (const collector of collectors) await collector.close();
    });

    it('stops after the batch that is under way', async (context) => {
      const clock = createManualClock(start);
      const { store } = await make(context, clock);
      await fill(store, 2_000, start.getTime() - 10 * day);
      const collector = startCollector({ store, clock, log });
      const collecting = collector.collect();
      await collector.close();
      await collecting;
      assert.ok((await column(store, 'orders', 'id')).length > 1_000);
    });
  });
}

describe('the state follows live orders, not history', () => {
  it('100,000 orders that are over leave no row, and the next 100,000 need no more room', async (context) => {
    const clock = createManualClock(start);
    const { store, file } = await dialects.sqlite(context, clock);
    const collector = startCollector({ store, clock, log });
    const sizes: number[] = [];
    for (let round = 0; round < 2; round++) {
      await fill(store, 100_000, clock.now().getTime());
      clock.advance(30 * day);
      assert.equal((await collector.collect()).orders, 100_000);
      for (const [table, name] of [
        ['orders', 'id'],
        ['authorizations', 'id'],
        ['statements', 'attempt'],
      ] as const) {
        assert.deepEqual(await column(store, table, name), []);
      }
      sizes.push(statSync(file).size);
    }
    const [first = 0, second = 0] = sizes;
    assert.ok(second < first * 1.1, `${first} octets, then ${second}`);
    await collector.close();
  });
});

/** Orders with an authorization and a statement each. */
async function fill(store: StateStore, count: number, expiresAt: number): Promise<void> {
  const rows = [order('#', 'valid', expiresAt), authorization('#', expiresAt), statements('#', 'dcv')];
  await store.commit(rows.map((row) => insertMany(row, count)));
}

async function column(store: StateStore, table: string, name: string): Promise<readonly unknown[]> {
  const rows = await store.all<{ value: unknown }>({
    sql: `select "${name}" as "value" from "${table}" order by "${name}" limit 5000`,
  });
  return rows.map(({ value }) => value);
}

type Row = { readonly table: string; readonly values: Readonly<Record<string, string | number | Uint8Array | null>> };

function insert({ table, values }: Row): StateOperation {
  const marks = Object.keys(values).map(() => '?');
  const sql = `insert into "${table}" (${columnsOf(values)}) values (${marks.join(', ')})`;
  return { sql, parameters: Object.values(values) };
}

/** Inserts a row many times; `#` in its texts becomes the number of each. */
function insertMany({ table, values }: Row, count: number): StateOperation {
  const selected = Object.values(values).map((value) =>
    typeof value === 'string' ? `replace('${value}', '#', cast("i" as text))` : String(value),
  );
  const numbers = `select 1 union all select "i" + 1 from "numbers" where "i" < ${count}`;
  const sql = `with recursive "numbers" ("i") as (${numbers})
    insert into "${table}" (${columnsOf(values)}) select ${selected.join(', ')} from "numbers"`;
  return { sql, parameters: [] };
}

function columnsOf(values: Row['values']): string {
  return Object.keys(values)
    .map((name) => `"${name}"`)
    .join(', ');
}

const nonce = (name: string, expiresAt: number): Row => ({
  table: 'nonces',
  values: { nonce: name, expires_at: expiresAt },
});

const limit = (key: string, arrivalAt: number): Row => ({
  table: 'rate_limits',
  values: { key, arrival_at: arrivalAt },
});

const order = (id: string, status: string, expiresAt: number): Row => ({
  table: 'orders',
  values: {
    id,
    account_id: 'a',
    status,
    identifiers: '[{"type":"dns","value":"www.example.com"}]',
    identifiers_digest: '00'.repeat(32),
    profile: 'tlsserver',
    authorizations: `["${id}"]`,
    pending_authorizations: 0,
    created_at: expiresAt - 7 * day,
    expires_at: expiresAt,
    attempts: 0,
  },
});

const authorization = (id: string, expiresAt: number): Row => ({
  table: 'authorizations',
  values: {
    id,
    account_id: 'a',
    order_id: id,
    status: 'valid',
    identifier_type: 'dns',
    identifier_value: 'www.example.com',
    is_wildcard: 0,
    profile: 'tlsserver',
    token: 'token',
    methods: '["http-01"]',
    created_at: expiresAt - 7 * day,
    expires_at: expiresAt,
  },
});

const statements = (authorizationId: string, check: string): Row => ({
  table: 'statements',
  values: {
    authorization_id: authorizationId,
    check,
    attempt: 'attempt',
    statements: `["${'x'.repeat(300)}"]`,
    checked_at: 0,
    good_until: 0,
  },
});

const certificate = (id: string, notAfter: number): Row => ({
  table: 'certificates',
  values: {
    id,
    account_id: 'a',
    order_id: id,
    serial_number: id,
    cert_id: id,
    certificate: Uint8Array.of(0x30),
    chain: '[]',
    not_before: notAfter - 90 * day,
    not_after: notAfter,
  },
});

const pausedName = (name: string, lastFailedAt: number, pausedAt: number | null): Row => ({
  table: 'paused_names',
  values: { account_id: 'a', name, failures: 7, paused_at: pausedAt, last_failed_at: lastFailedAt },
});
