// The drill of coaps.md §5, last lines: nothing is lost. The CoAP gate and the keep are killed again and again while devices
// enrol, renew and have keys made over a network that loses one datagram in ten each way. DRILL_SEED=… kills the same
// processes in the same order.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type LossyProxy, startLossyProxy } from '../../src/coap/lossy-proxy.ts';
import { type Held, sendFleet } from '../../src/drills/coap-fleet.ts';
import { type CoapHouse, openCoapHouse } from '../../src/drills/coap-house.ts';
import { createCoapWitness } from '../../src/drills/coap-witness.ts';
import { recordsOf } from '../../src/drills/keep-ledger.ts';
import { startKiller } from '../../src/drills/killer.ts';
import { chooseSeed, createRandom } from '../../src/drills/random.ts';

const leastDevices = 36;
/** Devices come until each process was killed so often, or for this long. */
const leastKills = 4;
const longestMs = 60_000;
const inFlight = 10;
const weather = { loss: 0.1 } as const;
const profile = 'device-identity';
/** Time between two kills, where a process is ready again after a second; longer on a machine that is busy with other things. */
const pauseMs = { shortest: 1_300, longest: 3_600, startMs: 1_000 } as const;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const seed = chooseSeed();
let house: CoapHouse;
let proxy: LossyProxy;
before(async () => {
  house = await openCoapHouse();
  proxy = await startLossyProxy({ host: '127.0.0.1', port: house.port, seed, up: weather, down: weather });
});
after(async () => {
  await proxy?.stop();
  await house?.leave();
});

describe('RFC 9148 §4.7, coaps.md §5: gate and keep are killed at random', () => {
  it('and every device has its certificates, each once and good', async () => {
    const { core, gate, startMs } = house;
    const witness = createCoapWitness();
    const slowness = Math.min(2, Math.max(1, startMs / pauseMs.startMs));
    const startedAt = performance.now();
    const killer = startKiller({
      victims: [gate, core],
      random: createRandom(seed),
      pauseMs: [pauseMs.shortest * slowness, pauseMs.longest * slowness],
    });
    const kills = (): readonly number[] => [gate, core].map((victim) => killer.kills.get(victim) ?? 0);
    const isDone = (): boolean => kills().every((count) => count >= leastKills);
    let held: readonly Held[] = [];
    try {
      held = await sendFleet({
        house,
        port: proxy.port,
        witness,
        inFlight,
        goesOn: (count) => count < leastDevices || (!isDone() && performance.now() - startedAt < longestMs),
      });
    } finally {
      await killer.stop();
      const [ofGate, ofKeep] = kills();
      say(`seed ${seed}, a start takes ${Math.round(startMs)} ms; kills: gate ${ofGate}, keep ${ofKeep}`);
    }
    tell(held, performance.now() - startedAt, witness.codes);
    assert.deepEqual(witness.offences, []);
    assert.deepEqual([...gate.unasked, ...core.unasked], []);

    await assertOnRecord(held);
    assert.ok(isDone(), 'hardly anything was killed');
    say(`audit: ${JSON.stringify(await house.operator('audit', 'verify'))}`);
    await gate.stop();
    await core.stop();
  });
});

/** What devices hold is good, and there is nothing else but certificates whose keys were lost with the gate that had made them. */
async function assertOnRecord(held: readonly Held[]): Promise<void> {
  const records = await recordsOf(house, profile);
  const bySerial = new Map(records.map((record) => [record.serialNumber, record]));
  assert.equal(
    new Set(held.map(({ serialNumber }) => serialNumber)).size,
    held.length,
    'a certificate for two requests',
  );
  for (const { serialNumber, device, operation } of held) {
    assert.equal(bySerial.get(serialNumber)?.state, 'valid', `${operation} of ${device}: ${serialNumber}`);
  }

  const isHeld = new Set(held.map(({ serialNumber }) => serialNumber));
  const others = records.filter(({ serialNumber }) => !isHeld.has(serialNumber));
  const revoked = others.filter(({ state }) => state === 'revoked');
  const lost = others.filter(({ state }) => state !== 'revoked');
  say(
    `${records.length} on record; for keys that did not arrive: ${revoked.length} revoked, ${lost.length} lost with the gate`,
  );
  const starts = house.gate.log().flatMap((line) => {
    const { msg, time } = parse(line);
    return msg === 'listening' ? [new Date(String(time))] : [];
  });
  for (const { device, operation, began, ended } of held) {
    const own = ({ subject }: { readonly subject: string }): boolean => subject.includes(device);
    if (operation !== 'skg') {
      assert.deepEqual(others.filter(own), [], `${device} has a certificate that it does not know`);
      continue;
    }
    const deaths = starts.filter((start) => began < start && start < ended).length;
    const count = lost.filter(own).length;
    assert.ok(count <= deaths, `${device}: ${count} keys lost, though the gate died ${deaths} times meanwhile`);
  }
}

function parse(line: string): Readonly<Record<string, unknown>> {
  return line.startsWith('{') ? JSON.parse(line) : {};
}

function tell(held: readonly Held[], tookMs: number, codes: ReadonlyMap<string, number>): void {
  const waits = held.map(({ began, ended }) => ended.getTime() - began.getTime()).sort((one, other) => one - other);
  const [median, longest] = [waits[Math.floor(waits.length / 2)], waits.at(-1)];
  const again = held.filter(({ sessions }) => sessions > 1).length;
  const devices = new Set(held.map(({ device }) => device)).size;
  say(
    `${devices} devices, ${held.length} certificates in ${Math.round(tookMs / 1000)} s; a request takes ${median} ms, at most ${longest} ms; ${again} took more than one session`,
  );
  say(`answers: ${[...codes].map(([code, count]) => `${count} of ${code}`).join(', ')}`);
}
