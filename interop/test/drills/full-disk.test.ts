// The drill of a full disk: the database of the ACME gate cannot be written. It says so to clients in the way that lets
// them come again (acme.md §4: 503 and Retry-After), and goes on by itself when there is room.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Crew, hireCrew } from '../../src/drills/crew.ts';
import { readGateFile } from '../../src/drills/gate-ledger.ts';
import { type House, openHouse } from '../../src/drills/house.ts';
import { serialNumberOf, serialNumbersOf } from '../../src/drills/keep-ledger.ts';
import { createOrderWitness } from '../../src/drills/order-witness.ts';
import { makeSmallDisk, type SmallDisk } from '../../src/drills/small-disk.ts';
import { eventually } from '../../src/patience.ts';

const orderCount = 40;
const inFlight = 8;
const profile = 'tls-server-validated';

let disk: SmallDisk;
let house: House;
let crew: Crew;
const witness = createOrderWitness();
const refusals = (): number => witness.statuses.get(503) ?? 0;

before(async () => {
  disk = makeSmallDisk();
  house = await openHouse({ settings: [`acme.database.file=${disk.directory}/acme.db`] });
  crew = await hireCrew(house, 2, witness);
});
after(async () => {
  crew?.close();
  await house?.leave();
  disk?.remove();
});

describe('acme.md §4: the disk of the gate runs full under load', () => {
  it('answers 503 with Retry-After, and brings every order to its end when there is room', async () => {
    const { pid } = house.gate;
    const issuing = crew.issue(orderCount, inFlight, (index) => [`o${index}.disk.test`]);
    await eventually(
      async () => witness.statuses.get(201) ?? 0,
      (made) => made > inFlight,
    );
    disk.fill(pid);
    const refused = await eventually(
      async () => refusals(),
      (count) => count >= 20,
    );
    assert.ok(refused >= 20, `${refused} answers of 503`);
    assert.equal(
      await eventually(
        () => house.gate.readiness(),
        (status) => status === 503,
      ),
      503,
    );
    disk.free(pid);

    const ends = await issuing;
    assert.equal(
      await eventually(
        () => house.gate.readiness(),
        (status) => status === 200,
      ),
      200,
    );
    const valid = ends.flatMap((end) => (end.kind === 'valid' ? [end] : []));
    const words = house.gate
      .log()
      .filter((line) => line.includes('"level":"error"') || line.includes('"level":"warn"'));
    process.stdout.write(
      `${valid.length} of ${ends.length} orders valid; ${refusals()} answers of 503; ${words.length} warnings in the log of the gate\n`,
    );
    assert.deepEqual(
      ends.filter(({ kind }) => kind === 'invalid'),
      [],
    );
    assert.deepEqual(witness.offences, []);
    assert.equal(house.gate.pid, pid);
    assert.deepEqual(house.gate.unasked, []);

    const held = valid.map(({ certificate }) => serialNumberOf(certificate)).sort();
    assert.deepEqual(await serialNumbersOf(house, profile), held);
    await house.gate.stop();
    const { orders, certificates, doubtful, leased } = await readGateFile(`${disk.directory}/acme.db`);
    assert.deepEqual({ certificates, doubtful, leased }, { certificates: held.length, doubtful: [], leased: [] });
    assert.equal(orders.processing, undefined);
  });
});
