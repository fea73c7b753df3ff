// coap-client of libcoap over OpenSSL: the client that requirements and examples of EST-coaps are written with.

import type { Client } from '../client.ts';
import { discovery } from '../coap/discovery.ts';
import { enrollment } from '../coap/enrollment.ts';
import { keyEncryption } from '../coap/key-encryption.ts';
import { libcoapDriver } from '../coap/libcoap.ts';
import { refusals } from '../coap/refusals.ts';
import { enrollmentInBadWeather, keysInBadWeather, transfersInBadWeather } from '../coap/weather.ts';
import { packageVersion } from '../package-version.ts';

/** Debian package libcoap3-bin. */
export const libcoapOpensslProgram = 'coap-client-openssl';

const driver = libcoapDriver(libcoapOpensslProgram);
const unruly = { duplication: 0.3, reordering: 0.3 };

/** libcoap over OpenSSL. */
export const libcoapOpensslClient: Client = {
  name: 'libcoap coap-client-openssl',
  gate: 'coap',
  version: () => packageVersion('libcoap3-bin'),
  operations: [
    // They take longest, and most of it is waiting.
    ...enrollmentInBadWeather(driver, [
      { name: '25 % loss each way', weather: { loss: 0.25 }, blockSize: 64, devices: 2 },
      { name: '0 % loss', weather: { delayMs: 20 }, blockSize: 64, devices: 6 },
      { name: '0 % loss', weather: { delayMs: 20 }, blockSize: 1024, devices: 6 },
      { name: '10 % loss each way', weather: { loss: 0.1 }, blockSize: 64, devices: 3 },
      { name: '10 % loss each way', weather: { loss: 0.1 }, blockSize: 256, devices: 3 },
      { name: '25 % loss each way', weather: { loss: 0.25 }, blockSize: 512, devices: 3 },
      { name: 'datagrams repeated and overtaken', weather: unruly, blockSize: 128, devices: 4 },
      {
        name: '10 % loss, datagrams repeated and overtaken',
        weather: { loss: 0.1, ...unruly },
        blockSize: 256,
        devices: 3,
      },
    ]),
    ...keysInBadWeather(driver, [
      { name: '25 % loss each way', weather: { loss: 0.25 }, blockSize: 256, devices: 3 },
      {
        name: '10 % loss, datagrams repeated and overtaken',
        weather: { loss: 0.1, ...unruly },
        blockSize: 64,
        devices: 2,
      },
    ]),
    ...discovery(driver),
    ...enrollment(driver),
    ...keyEncryption(driver),
    ...refusals(driver),
    ...transfersInBadWeather(driver, unruly),
  ].map((operation) => ({ ...operation, stack: 'coap' })),
};
