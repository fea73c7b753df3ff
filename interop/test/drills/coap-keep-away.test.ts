// The drill of a keep that is slow, that is gone, and that hangs, while devices enrol over a network that loses one datagram in
// ten each way: RFC 9148 §4.7. Short delays are acknowledged and answered later, longer ones are 5.03 with the time after which
// to come again, and when the keep is there again all goes on in the sessions that stand.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { optionNumbers } from '@gatehouse/gateway-coap/message/option-numbers';
import { blockOption, CoapClient, uintOption, uriOptions } from '@gatehouse/gateway-coap/test-support/coap-client';
import { connectDtls } from '@gatehouse/gateway-coap/test-support/dtls-client';
import { type LossyProxy, startLossyProxy } from '../../src/coap/lossy-proxy.ts';
import { PatientDevice } from '../../src/drills/coap-device.ts';
import { bornAs, newCsr, readOne } from '../../src/drills/coap-fleet.ts';
import { type CoapHouse, openCoapHouse } from '../../src/drills/coap-house.ts';
import { type CoapWitness, createCoapWitness } from '../../src/drills/coap-witness.ts';
import { canonicalSerialNumber, recordsOf } from '../../src/drills/keep-ledger.ts';
import { chooseSeed } from '../../src/drills/random.ts';
import { eventually } from '../../src/patience.ts';

const deviceCount = 12;
const weather = { loss: 0.1 } as const;
/** Longer than RFC 9148 §4.7 has a client wait for an acknowledgement, shorter than the gate waits for the keep. */
const slowMs = 3_000;
/** Longer than the gate waits for the keep. */
const responseTimeoutMs = 20_000;
/** With every device's Max-Age, and a busy machine. */
const backWithinMs = 20_000;
/** Serial number of a device that loses interest. */
const abandoned = 'ABANDONED';
const seed = chooseSeed();
const held: string[] = [];

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

type Crew = {
  readonly witness: CoapWitness;
  readonly devices: readonly PatientDevice[];
  /** Lets all of them enrol. @returns how many of them had their answer in a message of its own */
  enrol(): Promise<number>;
  /** How often a request was acknowledged before it was answered. */
  acknowledged(): number;
};

/** Devices with a session each, in which they have done something already. */
async function connectCrew(name: string): Promise<Crew> {
  const witness = createCoapWitness();
  let acknowledged = 0;
  const serials = Array.from({ length: deviceCount }, (_, index) => `${name}${index}`);
  const devices = serials.map(
    (serial) =>
      new PatientDevice({
        identity: bornAs(house, serial),
        port: proxy.port,
        witness,
        responseTimeoutMs,
        onAcknowledged: () => acknowledged++,
      }),
  );
  await Promise.all(devices.map((device) => device.get('/est/crts')));
  return {
    witness,
    devices,
    acknowledged: () => acknowledged,
    enrol: async () => {
      const answers = await Promise.all(
        devices.map((device, index) => device.post('/est/sen', newCsr(serials[index] ?? ''), 281)),
      );
      for (const { code, payload } of answers) {
        assert.equal(code, '2.04', payload.toString());
        held.push(canonicalSerialNumber(readOne(payload).serialNumber));
      }
      return answers.filter(({ messages }) => messages.some(({ isSeparate }) => isSeparate)).length;
    },
  };
}

/** Nothing was wrong, and the gate is the same as before. */
function assertUnharmed({ witness, devices }: Crew, pid: number): void {
  for (const device of devices) device.close();
  assert.deepEqual(witness.offences, []);
  assert.equal(house.gate.pid, pid);
  assert.deepEqual(house.gate.unasked, []);
}

function tell(name: string, { witness, devices, acknowledged }: Crew, separate: number): void {
  const codes = [...witness.codes].map(([code, count]) => `${count} of ${code}`).join(', ');
  const sessions = devices.reduce((sum, device) => sum + device.sessions, 0);
  process.stdout.write(
    `${name}: seed ${seed}; ${devices.length} devices, ${sessions} sessions; ${acknowledged()} acknowledgements, ${separate} separate answers; ${codes}\n`,
  );
}

describe('RFC 9148 §4.7, RFC 7252 §5.2.2: the keep is slow', () => {
  it('requests are acknowledged at once and answered when it has done them', async () => {
    const { core, gate } = house;
    const { pid } = gate;
    const crew = await connectCrew('S');
    core.freeze();
    const thawed = pause(slowMs).then(() => core.thaw());
    const separate = await crew.enrol().finally(() => thawed);
    tell('slow', crew, separate);
    // An acknowledgement may be lost, and then the answer itself is what comes first.
    assert.ok(crew.acknowledged() >= deviceCount / 2, `${crew.acknowledged()} acknowledgements`);
    assert.ok(separate >= deviceCount * 0.7, `${separate} separate answers`);
    assert.equal(crew.witness.codes.get('5.03'), undefined, 'a keep that is only slow is none that is away');
    assertUnharmed(crew, pid);
  });
});

/** A device that has a key made and takes only the first block of the answer. @returns what ends its session */
async function leaveKeyBehind(): Promise<() => void> {
  const dtls = await connectDtls({ address: '127.0.0.1', port: house.port, ...bornAs(house, abandoned) });
  const { code } = await new CoapClient(dtls).exchanges.exchange({
    code: 'POST',
    options: [
      ...uriOptions('/est/skg'),
      ...uintOption(optionNumbers.contentFormat, 286),
      blockOption('block2', { number: 0, hasMore: false, size: 64 }),
    ],
    payload: newCsr(abandoned),
  });
  assert.equal(code, '2.04');
  return () => dtls.close();
}

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

describe('RFC 9148 §4.7: the keep is away', () => {
  for (const { name, begin, end } of absences) {
    it(`and devices are told when to come again, and get their certificates without a restart of the gate: ${name}`, async () => {
      const { pid } = house.gate;
      const crew = await connectCrew(name.slice(0, 1).toUpperCase());
      const before = crew.devices.reduce((sum, { sessions }) => sum + sessions, 0);
      const leave = name === 'gone' ? await leaveKeyBehind() : () => undefined;
      await begin();
      leave();
      const enrolling = crew.enrol();
      // It is awaited below, unless something else fails first.
      enrolling.catch(() => undefined);
      try {
        // What is public is served all the same, also to those who come only now.
        const late = new PatientDevice({
          identity: bornAs(house, `${name}-late`),
          port: proxy.port,
          witness: crew.witness,
        });
        assert.equal((await late.get('/est/crts')).code, '2.05');
        late.close();
        const refused = await eventually(
          async () => crew.witness.codes.get('5.03') ?? 0,
          (count) => count >= deviceCount,
        );
        assert.ok(refused >= deviceCount, `${refused} answers of 5.03`);
      } finally {
        await end();
      }
      const backAt = performance.now();
      const separate = await enrolling;
      const tookMs = Math.round(performance.now() - backAt);
      tell(`${name}, all done ${tookMs} ms after`, crew, separate);
      assert.ok(tookMs < backWithinMs, `took ${tookMs} ms`);
      const sessions = crew.devices.reduce((sum, device) => sum + device.sessions, 0);
      assert.ok(sessions <= before + deviceCount / 4, 'hardly a session needs to be made anew');
      assertUnharmed(crew, pid);
    });
  }

  it('and nothing is issued twice; the certificate of a key that did not arrive meanwhile is revoked', async () => {
    const isAbandoned = ({ subject }: { readonly subject: string }): boolean => subject.includes(abandoned);
    const records = await eventually(
      () => recordsOf(house, 'device-identity'),
      (seen) => seen.some((record) => isAbandoned(record) && record.state === 'revoked'),
    );
    assert.deepEqual(
      records.filter(isAbandoned).map(({ state }) => state),
      ['revoked'],
    );
    const others = records.filter((record) => !isAbandoned(record));
    assert.deepEqual(others.map(({ serialNumber }) => serialNumber).sort(), held.toSorted());
    assert.deepEqual(
      others.filter(({ state }) => state !== 'valid'),
      [],
    );
    await house.operator('audit', 'verify');
  });
});
