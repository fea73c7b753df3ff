// Orders under a killer, and the proof afterwards: acme.md §3, rule 7. Whatever is killed, and whenever, every order comes to
// one end, and nothing that a client was shown is lost. DRILL_SEED=… kills the same processes in the same order.

import assert from 'node:assert/strict';
import type { OrderEnd } from '../../../src/acme/patient-client.ts';
import { hireCrew } from '../../../src/drills/crew.ts';
import type { GateLedger } from '../../../src/drills/gate-ledger.ts';
import type { House } from '../../../src/drills/house.ts';
import { serialNumberOf, serialNumbersOf } from '../../../src/drills/keep-ledger.ts';
import { startKiller } from '../../../src/drills/killer.ts';
import { createOrderWitness, type OrderWitness } from '../../../src/drills/order-witness.ts';
import { chooseSeed, createRandom } from '../../../src/drills/random.ts';
import type { Resident } from '../../../src/drills/resident.ts';

/** What {@link runKillDrill} takes. */
export type KillDrill = {
  readonly house: House;
  readonly orderCount: number;
  /** Copies of the gate beside that of the house. */
  readonly copies?: readonly { readonly gate: Resident; readonly directory: string }[] | undefined;
  /** Reads the gate's database, when all gates have ended. */
  readonly readLedger: () => Promise<GateLedger>;
};

const clientCount = 8;
const inFlight = 32;
/** Time between two kills, where a process is ready again after a second; longer on a machine that is busy with other things. */
const pauseMs = { shortest: 500, longest: 2_000, startMs: 1_000 } as const;
const profile = 'tls-server-validated';
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Brings the orders to their ends while processes are killed, and proves that all is well; then everything is stopped. */
export async function runKillDrill({ house, orderCount, copies = [], readLedger }: KillDrill): Promise<void> {
  const residents = [...house.residents, ...copies.map(({ gate }) => gate)];
  const witness = createOrderWitness();
  const ends = await issueUnderFire({ house, residents, witness, orderCount, copies });
  const valid = ends.flatMap((end) => (end.kind === 'valid' ? [end] : []));
  assertEnded(ends, orderCount);
  assert.deepEqual(witness.offences, []);
  assert.deepEqual(
    residents.flatMap(({ unasked }) => unasked),
    [],
  );

  const held = valid.map(({ certificate }) => serialNumberOf(certificate)).sort();
  assert.equal(new Set(held).size, held.length);
  assert.deepEqual(await serialNumbersOf(house, profile), held);
  say(`audit: ${JSON.stringify(await house.operator('audit', 'verify'))}`);

  const gates = [house.gate, ...copies.map(({ gate }) => gate)];
  const repeated = gates.flatMap((gate) => gate.log()).filter((line) => line.includes('"isRepeated":true')).length;
  say(`${repeated} certificates were issued before the keep was asked again, since its answer was lost`);
  for (const { name, log } of residents) {
    for (const [complaint, count] of complaintsOf(log())) say(`${name}: ${count} × ${complaint}`);
  }
  await Promise.all(gates.map((gate) => gate.stop()));
  const ledger = await readLedger();
  say(`the gate's database: ${JSON.stringify(ledger.orders)}, ${ledger.certificates} certificates`);
  assert.deepEqual(ledger.doubtful, []);
  assert.deepEqual(ledger.leased, []);
  assert.equal(ledger.orders.processing, undefined);
  assert.equal(ledger.orders.valid, valid.length);
  assert.equal(ledger.certificates, valid.length);
  await Promise.all(residents.map((resident) => resident.stop()));
}

type Fire = Pick<KillDrill, 'house' | 'orderCount'> & {
  readonly copies: NonNullable<KillDrill['copies']>;
  readonly residents: readonly Resident[];
  readonly witness: OrderWitness;
};

async function issueUnderFire({ house, residents, witness, orderCount, copies }: Fire): Promise<readonly OrderEnd[]> {
  const seed = chooseSeed();
  const directories = copies.map(({ directory }) => directory);
  const crew = await hireCrew(house, clientCount, witness, directories);
  const startedAt = performance.now();
  const slowness = Math.max(1, house.startMs / pauseMs.startMs);
  const killer = startKiller({
    victims: residents,
    random: createRandom(seed),
    pauseMs: [pauseMs.shortest * slowness, pauseMs.longest * slowness],
  });
  // One order in ten has two names.
  const namesOf = (index: number): readonly string[] =>
    index % 10 === 0 ? [`o${index}.drill.test`, `www.o${index}.drill.test`] : [`o${index}.drill.test`];
  try {
    const ends = await crew.issue(orderCount, inFlight, namesOf);
    const answers = [...witness.statuses].map(([status, count]) => `${count} of ${status}`).join(', ');
    say(`${ends.length} orders in ${Math.round((performance.now() - startedAt) / 1000)} s; answers: ${answers}`);
    return ends;
  } finally {
    crew.close();
    const kills = [...(await killer.stop())].map(([{ name }, count]) => `${name} ${count}`).join(', ');
    say(`seed ${seed}, a start takes ${Math.round(house.startMs)} ms; kills: ${kills}`);
  }
}

/** Each order once; those that failed say why, and it was no fault of the client's. */
function assertEnded(ends: readonly OrderEnd[], orderCount: number): void {
  assert.equal(new Set(ends.map(({ url }) => url)).size, orderCount);
  const reasons = ends.flatMap((end) => (end.kind === 'invalid' ? [end.why] : []));
  say(`${ends.length - reasons.length} valid, ${reasons.length} invalid`);
  for (const why of reasons) {
    say(`invalid: ${why}`);
    const { type, detail } = JSON.parse(why);
    assert.equal(type, 'urn:ietf:params:acme:error:serverInternal', why);
    assert.match(detail, /\S/, why);
  }
  assert.ok(reasons.length < orderCount / 2, 'most orders failed');
}

/** What stands in a log as an error, and how often. */
function complaintsOf(lines: readonly string[]): ReadonlyMap<string, number> {
  const complaints = new Map<string, number>();
  for (const line of lines) {
    if (!/^\{"level":"(error|fatal)"/.test(line)) continue;
    const { msg } = JSON.parse(line);
    complaints.set(msg, (complaints.get(msg) ?? 0) + 1);
  }
  return complaints;
}
