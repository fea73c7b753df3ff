// Reading the log: newest first with conditions, or everything as it is chained.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { AuditRecord } from '../../src/audit/event.ts';
import { exportAudit } from '../../src/audit/export.ts';
import { type AuditFilter, findAuditEvents } from '../../src/audit/search.ts';
import { insertAuditRecord, readAuditRecords } from '../../src/store/audit-events.ts';
import { event, openTestStore } from '../store/test-store.ts';

const test = await openTestStore('in memory');
after(() => test.remove());
const { store } = test;
const actions = ['certificate-issued', 'status-changed', 'ra-added'] as const;
for (let i = 0; i < 2300; i += 100) {
  const events = Array.from({ length: 100 }, (_, j) =>
    event({
      action: actions[(i + j) % 3] ?? 'self-test',
      serialNumber: `${(i + j) % 7}`,
      registrationAuthority: (i + j) % 2 === 0 ? 'est' : 'acme',
    }),
  );
  await store.commit({ operations: [], events });
}
const all = readAuditRecords(store, store.instance.id, 0, 10_000);
// A record of another core, in the midst of ours.
const foreign: AuditRecord = { ...(all[1000] as AuditRecord), instance: 'another', sequence: 1 };
await store.commit({ operations: [insertAuditRecord(foreign)], events: [] });
const newestFirst = [...all].reverse();

async function find(filter: Partial<AuditFilter>): Promise<readonly AuditRecord[]> {
  return await Array.fromAsync(findAuditEvents(store, { limit: 10_000, ...filter }));
}

describe('ListAuditEvents', () => {
  it('gives the newest first, of all chains', async () => {
    const found = await find({});
    assert.equal(found.length, all.length + 1);
    assert.deepEqual(
      found.filter(({ instance }) => instance !== 'another'),
      newestFirst,
    );
    const place = found.findIndex(({ instance }) => instance === 'another');
    assert.ok((found[place - 1]?.at ?? 0) >= foreign.at && (found[place + 1]?.at ?? 0) <= foreign.at);
  });

  it('stops at the limit', async () => {
    assert.deepEqual(await find({ limit: 3 }), newestFirst.slice(0, 3));
  });

  const middle = new Date(all[1200]?.at ?? 0);
  const conditions: readonly [Partial<AuditFilter>, (record: AuditRecord) => boolean][] = [
    [{ action: 'ra-added' }, ({ action }) => action === 'ra-added'],
    [{ serialNumber: '3' }, ({ serialNumber }) => serialNumber === '3'],
    [{ registrationAuthority: 'acme' }, ({ registrationAuthority }) => registrationAuthority === 'acme'],
    [{ after: middle }, ({ at }) => at >= middle.getTime()],
    [{ before: middle }, ({ at }) => at < middle.getTime()],
    [{ action: 'self-test' }, () => false],
    [
      { action: 'ra-added', serialNumber: '5', before: middle },
      (one) => one.action === 'ra-added' && one.serialNumber === '5' && one.at < middle.getTime(),
    ],
  ];
  for (const [filter, matches] of conditions) {
    it(JSON.stringify(filter), async () => {
      const found = (await find(filter)).filter(({ instance }) => instance !== 'another');
      assert.deepEqual(found, newestFirst.filter(matches));
    });
  }
});

describe('audit export', () => {
  it('writes every record as a line of JSON, chain by chain and oldest first', async () => {
    const lines = (await Array.fromAsync(exportAudit(store))).map((line) => JSON.parse(line));
    const ours = lines.filter(({ instance }) => instance !== 'another');
    assert.deepEqual(
      ours,
      all.map((record) => ({ ...record, mac: Buffer.from(record.mac).toString('hex') })),
    );
    assert.equal(lines.length, all.length + 1);
  });
});
