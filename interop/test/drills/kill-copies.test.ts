import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startPostgres, type TestPostgres } from '@gatehouse/runtime/test-support/postgres';
import { addGateCopy, type GateCopy } from '../../src/drills/gate-copy.ts';
import { readGateLedger } from '../../src/drills/gate-ledger.ts';
import { type House, openHouse } from '../../src/drills/house.ts';
import { runKillDrill } from './support/kill-drill.ts';

const orderCount = 200;

let postgres: TestPostgres;
let database: string;
let house: House;
let copy: GateCopy;
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-secret-'));
const endings: (() => Promise<void>)[] = [];

before(async () => {
  postgres = await startPostgres({ after: (end) => void endings.unshift(end) });
  database = await postgres.createDatabase();
  const file = join(folder, 'database');
  writeFileSync(file, database, { mode: 0o600 });
  house = await openHouse({ settings: [`acme.database=${JSON.stringify({ postgres: { file } })}`] });
  endings.unshift(() => house.leave());
  copy = await addGateCopy(house);
  endings.unshift(() => copy.leave());
});
after(async () => {
  for (const end of endings) await end();
  rmSync(folder, { recursive: true, force: true });
});

describe('acme.md §3: two copies of the gate on one PostgreSQL, perspectives and keep are killed at random', () => {
  it(`and each of ${orderCount} orders comes to one end, with one certificate or a reason`, async () => {
    await runKillDrill({
      house,
      orderCount,
      copies: [copy],
      readLedger: () => readGateLedger((sql) => postgres.administer(sql, database)),
    });
  });
});
