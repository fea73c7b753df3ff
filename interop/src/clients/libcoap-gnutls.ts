// coap-client of libcoap over GnuTLS: the same CoAP over a DTLS of other people.

import type { Client } from '../client.ts';
import { discovery } from '../coap/discovery.ts';
import { enrollment } from '../coap/enrollment.ts';
import { libcoapDriver } from '../coap/libcoap.ts';
import { refusals } from '../coap/refusals.ts';
import { enrollmentInBadWeather } from '../coap/weather.ts';
import { packageVersion } from '../package-version.ts';

/** Debian package libcoap3-bin. */
export const libcoapGnutlsProgram = 'coap-client-gnutls';

const driver = libcoapDriver(libcoapGnutlsProgram);

/** libcoap over GnuTLS. */
export const libcoapGnutlsClient: Client = {
  name: 'libcoap coap-client-gnutls',
  gate: 'coap',
  version: () => packageVersion('libcoap3-bin'),
  operations: [
    // They take longest, and most of it is waiting.
    ...enrollmentInBadWeather(driver, [
      { name: '10 % loss each way', weather: { loss: 0.1 }, blockSize: 256, devices: 3 },
      { name: '25 % loss each way', weather: { loss: 0.25 }, blockSize: 512, devices: 2 },
    ]),
    ...discovery(driver),
    ...enrollment(driver),
    ...refusals(driver),
  ].map((operation) => ({ ...operation, stack: 'coap' })),
};
