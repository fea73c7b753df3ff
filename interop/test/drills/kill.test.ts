// The drill of acme.md §3, rule 7: whatever is killed, and whenever, every order comes to one end, and nothing that a
// client was shown is lost. DRILL_SEED=… kills the same processes in the same order.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { hireCrew } from '../../src/drills/crew.ts';
import { readGateLedger } from '../../src/drills/gate-ledger.ts';
import { type House, openHouse } from '../../src/drills/house.ts';
import { serialNumberOf, serialNumbersOf } from '../../src/drills/keep-ledger.ts';
import { startKiller } from '../../src/drills/killer.ts';
import { createOrderWitness } from '../../src/drills/order-witness.ts';
import { chooseSeed, createRandom } from '../../src/drills/random.ts';

const orderCount = 500;
const clientCount = 8;
const inFlight = 32;
const profile = 'tls-server-validated';

let house: House;
before(async () => {
  house = await openHouse();
});
after(() => house?.leave());

describe('acme.md §3: gate, perspectives and keep are killed at random', () => {
  it(`bring each of ${orderCount} orders to one end, with one certificate or a reason`, async (context) => {
    const seed = chooseSeed();
    const witness = createOrderWitness();
    const crew = await hireCrew(house, clientCount, witness);
    context.after(() => crew.close());
    const startedAt = performance.now();
    const killer = startKiller({ victims: house.residents, random: createRandom(seed), pauseMs: [500, 2_000] });
    const ends = await crew
      .issue(orderCount, inFlight, (index) =>
        index % 10 === 0 ? [`o${index}.drill.test`, `www.o${index}.drill.test`] : [`o${index}.drill.test`],
      )
      .finally(async () => {
        const kills = await killer.stop();
        const told = [...kills].map(([name, count]) => `${name} ${count}`).join(', ');
        process.stdout.write(`seed ${seed}; kills: ${told}\n`);
      });
    const seconds = Math.round((performance.now() - startedAt) / 1000);

    const valid = ends.flatMap((end) => (end.kind === 'valid' ? [end] : []));
    const invalid = ends.flatMap((end) => (end.kind === 'invalid' ? [end] : []));
    const answers = [...witness.statuses].map(([status, count]) => `${count} of ${status}`).join(', ');
    process.stdout.write(
      `${ends.length} orders in ${seconds} s: ${valid.length} valid, ${invalid.length} invalid; answers: ${answers}\n`,
    );
    for (const why of new Set(invalid.map((end) => end.why))) process.stdout.write(`invalid: ${why}\n`);
    assert.equal(ends.length, orderCount);
    assert.equal(new Set(ends.map(({ url }) => url)).size, orderCount);
    assert.ok(valid.length > 0);
    for (const { why } of invalid) {
      const { type, detail } = JSON.parse(why);
      assert.match(type, /^urn:ietf:params:acme:error:serverInternal$/, why);
      assert.match(detail, /\S/, why);
    }
    assert.deepEqual(witness.offences, []);
    assert.deepEqual(
      house.residents.flatMap(({ unasked }) => unasked),
      [],
    );

    const held = valid.map(({ certificate }) => serialNumberOf(certificate)).sort();
    assert.equal(new Set(held).size, held.length);
    assert.deepEqual(await serialNumbersOf(house, profile), held);
    const audit = await house.operator('audit', 'verify');
    process.stdout.write(`audit: ${JSON.stringify(audit)}\n`);

    await house.gate.stop();
    const ledger = readGateLedger(house.data);
    process.stdout.write(
      `the gate's database: ${JSON.stringify(ledger.orders)}, ${ledger.certificates} certificates\n`,
    );
    assert.deepEqual(ledger.doubtful, []);
    assert.deepEqual(ledger.leased, []);
    assert.equal(ledger.orders.processing, undefined);
    assert.equal(ledger.orders.valid, valid.length);
    assert.equal(ledger.certificates, valid.length);
    await Promise.all(house.residents.map((resident) => resident.stop()));
  });
});
