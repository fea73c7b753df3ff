import { after, before, describe, it } from 'node:test';
import { readGateFile } from '../../src/drills/gate-ledger.ts';
import { type House, openHouse } from '../../src/drills/house.ts';
import { runKillDrill } from './support/kill-drill.ts';

const orderCount = 500;

let house: House;
before(async () => {
  house = await openHouse();
});
after(() => house?.leave());

describe('acme.md §3: gate, perspectives and keep are killed at random', () => {
  it(`and each of ${orderCount} orders comes to one end, with one certificate or a reason`, async () => {
    await runKillDrill({ house, orderCount, readLedger: () => readGateFile(`${house.data}/acme/acme.db`) });
  });
});
