// Devices that are born, and enrol, for the tests over the wire: each has a serial number of its own.

import type { KeyObject } from 'node:crypto';
import { newKey, newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import type { Certificate } from '@gatehouse/pkix/certificate';
import type { DeviceShape, Manufacturer } from '../../test-support/certificates.ts';
import type { CoapClientOptions } from '../../test-support/coap-client.ts';
import { certificateOf, connectDevice, type Identity } from './device.ts';
import { manufacturer } from './settings.ts';
import type { Stack } from './stack.ts';

/** A device and its serial number. */
export type NewDevice = { readonly identity: Identity; readonly serial: string };

/** A device with a certificate of the gate's CA. */
export type Enrolled = { readonly key: KeyObject; readonly certificate: Certificate };

/** What {@link createEnroller} makes. */
export type Enroller = {
  newDevice(maker?: Manufacturer, shape?: DeviceShape): NewDevice;
  /** A new device enrols under a label. */
  enrol(label: string, options: { readonly subject?: string; readonly coap?: CoapClientOptions }): Promise<Enrolled>;
  identityOf(enrolled: Enrolled): Identity;
};

let devices = 0;

/** Makes devices for a stack. */
export function createEnroller(stack: Stack): Enroller {
  const newDevice: Enroller['newDevice'] = (maker = manufacturer, shape = {}) => {
    const serial = `D${++devices}`;
    return { identity: maker.createDevice(serial, shape), serial };
  };
  return {
    newDevice,
    enrol: async (label, { subject, coap }) => {
      const { identity, serial } = newDevice();
      const client = await connectDevice(stack, identity, coap === undefined ? {} : { coap });
      const key = newKey();
      const request = newRequest({ subject: subject ?? `CN=enrolled,serialNumber=${serial}`, key });
      const certificate = certificateOf(await client.post(`/est/${label}/sen`, request));
      client.dtls.close();
      return { key, certificate };
    },
    identityOf: ({ key, certificate }) => ({
      certificate: certificate.der,
      chain: [],
      privateKey: key.export({ format: 'der', type: 'pkcs8' }),
    }),
  };
}
