// go-coap over pion's DTLS: what gateways and simulators in Go are made of. It asks several things in one session.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Client, Operation } from '../client.ts';
import { discovery } from '../coap/discovery.ts';
import { enrollment } from '../coap/enrollment.ts';
import { estPath, expectIssued, formats, makeDeviceRequest, manufacturersOf } from '../coap/est.ts';
import { goCoapDriver } from '../coap/go-coap.ts';
import { refusals } from '../coap/refusals.ts';
import { enrollmentInBadWeather } from '../coap/weather.ts';
import type { Session } from '../session.ts';

const driver = goCoapDriver('CCM8');
/** On a bad network it is better to begin again than to wait for what it never asks for again. */
const hasty = goCoapDriver('CCM8', 12);

const suites = [
  ['TLS_ECDHE_ECDSA_WITH_AES_128_CCM', 'CCM'],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'GCM'],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'GCM256'],
] as const;

/** go-coap. */
export const goCoapClient: Client = {
  name: 'go-coap and pion/dtls',
  gate: 'coap',
  version: async () => {
    const pinned = readFileSync(new URL('../../go/coap-client/go.mod', import.meta.url), 'utf8');
    const versionOf = (module: string) => new RegExp(`${module} v(\\S+)`).exec(pinned)?.[1];
    const [coap, dtls] = [versionOf('plgd-dev/go-coap/v3'), versionOf('pion/dtls/v3')];
    assert(coap !== undefined && dtls !== undefined, 'go.mod pins no version');
    return `${coap}, ${dtls}`;
  },
  operations: [
    // It sends none but the first block of a transfer again, so what is to arrive on a bad network goes in one.
    ...enrollmentInBadWeather(hasty, [
      { name: '10 % loss each way', weather: { loss: 0.1 }, blockSize: 1024, devices: 3 },
      { name: '25 % loss each way', weather: { loss: 0.25 }, blockSize: 1024, devices: 2 },
      {
        name: 'datagrams repeated and overtaken',
        weather: { duplication: 0.3, reordering: 0.3 },
        blockSize: 256,
        devices: 3,
      },
    ]),
    ...discovery(driver),
    ...enrollment(driver),
    { name: 'asks for everything in one session', section: 'RFC 9148 §3', run: askForEverything },
    ...suites.map(
      ([name, suite]): Operation => ({
        name: `asks for everything in one session with ${name}`,
        section: 'RFC 7925 §4.4, RFC 7251',
        run: (session) => askForEverything(session, suite),
      }),
    ),
    ...refusals(driver),
  ].map((operation) => ({ ...operation, stack: 'coap' })),
};

async function askForEverything(session: Session, suite = 'CCM8'): Promise<void> {
  const device = await manufacturersOf(session).makeDevice();
  const request = await makeDeviceRequest(session, device);
  const get = (path: string) => ({ method: 'get', path }) as const;
  const enrollment = {
    method: 'post',
    path: estPath('sen'),
    contentFormat: formats.pkcs10,
    payload: request.der,
  } as const;
  const answers = await goCoapDriver(suite).send(session, { device, blockSize: 256 }, [
    get('/.well-known/core'),
    get(estPath('crts')),
    get(estPath('att')),
    enrollment,
    get(estPath('nothing')),
    enrollment,
  ]);
  assert.deepEqual(
    answers.map(({ code }) => code),
    ['2.05', '2.05', '2.05', '2.04', '4.04', '2.04'],
  );
  const [first, second] = [answers[3], answers[5]];
  assert(first !== undefined && second !== undefined, 'both were answered');
  const certificate = await expectIssued(session, first, request.publicKey);
  assert.equal((await expectIssued(session, second, request.publicKey)).serialNumber, certificate.serialNumber);
}
