// The drill of the gate's own certificate, which here lives for seconds: it is renewed under sessions that stand, and when it
// cannot be written down, since the disk of the gate is full or read-only, devices notice nothing as long as the old one lives.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { PatientDevice } from '../../src/drills/coap-device.ts';
import { bornAs, newCsr, readOne } from '../../src/drills/coap-fleet.ts';
import { type CoapHouse, openCoapHouse } from '../../src/drills/coap-house.ts';
import { createCoapWitness } from '../../src/drills/coap-witness.ts';
import { makeUnwritableFolder, type UnwritableFolder } from '../../src/drills/unwritable-folder.ts';
import { eventually } from '../../src/patience.ts';

/** As the built-in profile of this name, but for its life: the gate renews it before half of that is over. */
const gatewayTls = `\
name: gateway-tls
description: Server certificate of a registration authority, for a minute
subject: { rule: from-request, attributes: [{ type: CN, presence: optional }], others: refuse }
names: { allowed: [dns, ip], atLeastOne: true, wildcards: false, commonNameAmongNames: true, commonNameToName: true }
keys: [{ kind: ec, curves: [P-256, P-384] }]
keyUsage: [digitalSignature]
extendedKeyUsage: [serverAuth, cmcRA]
validity: { default: 40s, maximum: 40s, backdate: 0s }
requesters: [registration-authority]
lints: { sets: [rfc5280], refuseAt: error }
renewal: { allowsNameChange: true }
`;

let folder: UnwritableFolder;
let house: CoapHouse;
const witness = createCoapWitness();
const connected: PatientDevice[] = [];

before(async () => {
  folder = makeUnwritableFolder();
  house = await openCoapHouse({ profiles: { 'gateway-tls': gatewayTls }, gateFolder: folder.directory });
});
after(async () => {
  for (const device of connected) device.close();
  await house?.leave();
  folder?.remove();
});

type Owner = { readonly serial: string; readonly device: PatientDevice; readonly shown: string };

/** A new device with a session. */
async function connect(serial: string): Promise<Owner> {
  const device = new PatientDevice({ identity: bornAs(house, serial), port: house.port, witness });
  connected.push(device);
  assert.equal((await device.get('/est/crts')).code, '2.05');
  const { gateCertificate } = device;
  assert.ok(gateCertificate !== undefined);
  return { serial, device, shown: readCertificate(gateCertificate).serialNumber };
}

async function enrol({ serial, device }: Owner): Promise<void> {
  const { code, payload } = await device.post('/est/sen', newCsr(serial), 281);
  assert.equal(code, '2.04', payload.toString());
  readOne(payload);
}

let visitors = 0;

/** Comes again as a new device until the gate shows another certificate. */
async function otherThan(shown: string): Promise<Owner> {
  const visitor = await eventually(
    () => connect(`V${++visitors}`),
    (owner) => owner.shown !== shown,
  );
  assert.notEqual(visitor.shown, shown, 'the certificate was not renewed');
  return visitor;
}

describe('coaps.md §8: the server certificate is renewed', () => {
  it('under sessions that stand, which go on, while new ones are shown the new one', async () => {
    const { pid } = house.gate;
    const first = await connect('first');
    await enrol(first);
    const second = await otherThan(first.shown);
    await enrol(first);
    await enrol(second);
    assert.deepEqual([first.device.sessions, second.device.sessions], [1, 1]);
    assert.deepEqual(witness.offences, []);
    assert.equal(house.gate.pid, pid);
  });

  it('as soon as it can be written down: until then the old one is shown, and devices enrol', async () => {
    const { gate } = house;
    const { pid } = gate;
    const before = await connect('before');
    folder.shut(pid);
    const complaints = (): readonly string[] =>
      gate.log().filter((line) => line.includes('the server certificate could not be renewed'));
    const heard = await eventually(
      async () => complaints(),
      (lines) => lines.length > 1,
    );
    assert.ok(heard.length > 1, 'the gate has not said that it cannot write');
    const [complaint = ''] = heard;
    process.stdout.write(`${folder.fault}: ${heard.length} attempts: ${JSON.parse(complaint).err.message}\n`);
    assert.match(complaint, folder.fault === 'full' ? /ENOSPC|no space/i : /EACCES|EROFS|permission/i);
    await enrol(before);
    const during = await connect('during');
    await enrol(during);
    assert.equal(await gate.readiness(), 200);

    folder.open(pid);
    const renewed = await otherThan(during.shown);
    await enrol(renewed);
    assert.deepEqual([before.device.sessions, during.device.sessions], [1, 1]);
    assert.deepEqual(witness.offences, []);
    assert.equal(gate.pid, pid);
    assert.deepEqual(gate.unasked, []);
  });
});
