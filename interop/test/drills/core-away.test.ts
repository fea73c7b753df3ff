// The drill of acme.md §3, rule 2: the keep is away while orders are finalized. They stay `processing` and become valid when
// it is back; what cannot wait is answered with 503 and the time after which to come again.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { ReadyOrder } from '../../src/acme/patient-client.ts';
import { type Crew, hireCrew, newRequest } from '../../src/drills/crew.ts';
import { type House, openHouse } from '../../src/drills/house.ts';
import { serialNumberOf, serialNumbersOf } from '../../src/drills/keep-ledger.ts';
import { createOrderWitness } from '../../src/drills/order-witness.ts';

const orderCount = 16;
const awayMs = 10_000;
/** Longest wait of an order between two attempts by then, and a busy machine. */
const backWithinMs = 40_000;
const profile = 'tls-server-validated';

let house: House;
let crew: Crew;
const witness = createOrderWitness();
const held: string[] = [];

before(async () => {
  house = await openHouse();
  crew = await hireCrew(house, 2, witness);
});
after(async () => {
  crew?.close();
  await house?.leave();
});

type Absence = { readonly name: string; begin(): Promise<void>; end(): Promise<void> };

const absences: readonly Absence[] = [
  {
    name: 'gone',
    begin: () => house.core.kill(),
    end: async () => {
      house.core.launch();
      await house.core.ready();
    },
  },
  { name: 'hanging', begin: async () => house.core.freeze(), end: async () => house.core.thaw() },
];

describe(`acme.md §3: the keep is away for ${awayMs / 1000} s during finalization`, () => {
  for (const absence of absences) {
    it(`and orders wait for it: ${absence.name}`, async () => {
      const names = Array.from({ length: orderCount }, (_, index) => `o${index}.${absence.name}.test`);
      const old = await crew.clientOf(0).issue([`old.${absence.name}.test`], newRequest([`old.${absence.name}.test`]));
      assert.equal(old.kind, 'valid');
      const orders = await Promise.all(names.map((name, index) => crew.clientOf(index).prepare([name])));

      await absence.begin();
      const startedAt = performance.now();
      const finalized = await Promise.all(
        orders.map(async ({ finalize }, index) => {
          const csr = Buffer.from(newRequest([names[index] ?? ''])).toString('base64url');
          return await crew.clientOf(index).post(finalize, { csr });
        }),
      );
      for (const { status, body } of finalized) {
        assert.equal(status, 200, body);
        assert.equal(JSON.parse(body).status, 'processing');
      }
      // What needs the keep at once is refused for now, and done when it is there again.
      const refusedBefore = witness.statuses.get(503) ?? 0;
      const { revokeCert } = crew.clientOf(0).urls;
      const certificate = new X509Certificate(old.certificate).raw.toString('base64url');
      const revoking = crew.clientOf(0).post(String(revokeCert), { certificate });
      while (performance.now() - startedAt < awayMs) {
        for (const status of await statusesOf(orders)) assert.equal(status, 'processing');
        await pause(500);
      }
      await absence.end();
      const backAt = performance.now();
      const ends = await Promise.all(orders.map(({ url }, index) => crew.clientOf(index).end(url)));
      const tookMs = Math.round(performance.now() - backAt);
      const revoked = await revoking;

      const refused = (witness.statuses.get(503) ?? 0) - refusedBefore;
      process.stdout.write(
        `${absence.name}: ${orders.length} orders waited and were valid ${tookMs} ms after; ${refused} answers of 503\n`,
      );
      assert.equal(revoked.status, 200, revoked.body);
      for (const end of ends) {
        assert.equal(end.kind, 'valid');
        held.push(serialNumberOf(end.certificate));
      }
      held.push(serialNumberOf(old.certificate));
      assert.ok(refused > 0);
      assert.ok(tookMs < backWithinMs, `took ${tookMs} ms`);
      assert.deepEqual(witness.offences, []);
      assert.deepEqual(
        house.residents.flatMap(({ unasked }) => unasked),
        [],
      );
    });
  }

  it('and nothing is issued twice', async () => {
    assert.deepEqual(await serialNumbersOf(house, profile), held.toSorted());
    await house.operator('audit', 'verify');
  });
});

async function statusesOf(orders: readonly ReadyOrder[]): Promise<readonly unknown[]> {
  const answers = await Promise.all(orders.map(({ url }, index) => crew.clientOf(index).post(url)));
  return answers.map(({ body }) => JSON.parse(body).status);
}
