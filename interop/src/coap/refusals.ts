// What devices get wrong, or should not be given: each is told by a code of RFC 7252, or is not spoken to at all.

import type { Operation } from '../client.ts';
import type { Session } from '../session.ts';
import { revoke } from '../status/operator.ts';
import { ask, type CoapDriver, type CoapRequest } from './driver.ts';
import { enrollNew } from './enrollment.ts';
import {
  estPath,
  expectNoSession,
  expectRefusal,
  formats,
  makeDeviceRequest,
  manufacturersOf,
  sendEnrollment,
} from './est.ts';
import type { Device, Manufacturers } from './manufacturer.ts';

type Changes = Partial<CoapRequest>;

/** Requests that differ from the plainest enrollment in one point. */
const requests: readonly (readonly [name: string, section: string, code: string, changes: Changes])[] = [
  ['a format that is not PKCS #10', 'RFC 9148 §4.3', '4.15', { contentFormat: 42 }],
  ['a request without a format', 'RFC 9148 §4.3', '4.15', { contentFormat: undefined }],
  ['Accept of a format that it has not', 'RFC 7252 §5.10.4', '4.06', { accept: 60 }],
  ['a body that is no request', 'RFC 9148 §4.5', '4.00', { payload: Buffer.from('3003020100', 'hex') }],
  ['a path that nothing is at', 'RFC 9148 §4.1', '4.04', { path: '/.well-known/est/simpleenroll' }],
  ['a path in capital letters', 'RFC 7252 §6.4', '4.04', { path: '/.well-known/EST/sen' }],
  ['a label that there is not', 'RFC 9148 §4.1', '4.04', { path: estPath('sen', 'nobody') }],
  ['a label without this operation', 'RFC 9148 §4.1', '4.04', { path: estPath('skg', 'enroll-only') }],
  ['a label of passwords alone', 'RFC 9148 §3', '4.03', { path: estPath('sen', 'password') }],
  ['an unbound request where binding is required', 'RFC 9148 §3', '4.03', { path: estPath('sen', 'bound') }],
  ['PUT', 'RFC 9148 §4.2', '4.05', { method: 'put' }],
  ['GET of what is POSTed', 'RFC 9148 §4.2', '4.05', { method: 'get', payload: undefined, contentFormat: undefined }],
];

/** Devices that get no session: name, and which. */
const strangers: readonly (readonly [name: string, device: (known: Manufacturers) => Promise<Device> | Device])[] = [
  ['a certificate of an unknown manufacturer', ({ unknown }) => unknown],
  ['a certificate of an RSA key of 1024 bits', (known) => known.makeDevice({ rsaBits: 1024 })],
];

/** Devices that get a session, and are refused in it. */
const refused: readonly (readonly [name: string, section: string, device: (known: Manufacturers) => Device])[] = [
  ['a certificate whose time is over', 'RFC 5280 §4.1.2.5', ({ expired }) => expired],
  ['a revoked certificate', 'RFC 5280 §6.3', ({ revoked }) => revoked],
  ['a revoked certificate whose time is over', 'RFC 5280 §6.3', ({ outlivedRevoked }) => outlivedRevoked],
  ['a certificate for other purposes', 'RFC 5280 §4.2.1.12', ({ forOtherPurposes }) => forOtherPurposes],
];

/** Operations that must be refused. */
export function refusals(driver: CoapDriver): readonly Operation[] {
  return [
    ...requests.map(([name, section, code, changes]) => ({
      name: `is refused ${name}: ${code}`,
      section,
      run: async (session: Session) => {
        const device = await manufacturersOf(session).makeDevice();
        const { der } = await makeDeviceRequest(session, device);
        const plain: CoapRequest = {
          method: 'post',
          path: estPath('sen'),
          contentFormat: formats.pkcs10,
          payload: der,
        };
        expectRefusal(await ask(driver, session, { device }, { ...plain, ...changes }), code);
      },
    })),
    {
      name: 'is refused names that are not its own: 4.03',
      section: 'RFC 9148 §4.5',
      run: async (session) => {
        const { makeDevice } = manufacturersOf(session);
        const [device, other] = [await makeDevice(), await makeDevice()];
        const request = await makeDeviceRequest(session, other);
        expectRefusal(await sendEnrollment(driver, session, { device }, request), '4.03');
      },
    },
    {
      name: 'is refused sren with the certificate of its manufacturer: 4.03',
      section: 'RFC 9148 §3',
      run: async (session) => {
        const device = await manufacturersOf(session).makeDevice();
        const request = await makeDeviceRequest(session, device);
        expectRefusal(await sendEnrollment(driver, session, { device }, request, { resource: 'sren' }), '4.03');
      },
    },
    {
      name: 'is refused sren with a certificate that was revoked: 4.01',
      section: 'RFC 9148 §3',
      run: (session) => renewRevoked(driver, session),
    },
    ...refused.map(([name, section, choose]) => ({
      name: `is refused with ${name}: 4.01`,
      section,
      run: async (session: Session) => {
        const device = choose(manufacturersOf(session));
        const request = await makeDeviceRequest(session, device);
        expectRefusal(await sendEnrollment(driver, session, { device }, request), '4.01');
        const anchors = { method: 'get', path: estPath('crts') } as const;
        expectRefusal(await ask(driver, session, { device }, anchors), '4.01');
      },
    })),
    ...strangers.map(([name, choose]) => ({
      name: `gets no session with ${name}`,
      section: 'RFC 9148 §3',
      run: async (session: Session) => {
        const device = await choose(manufacturersOf(session));
        await expectNoSession(ask(driver, session, { device }, { method: 'get', path: estPath('crts') }));
      },
    })),
    {
      name: 'gets no session without a certificate, for discovery neither',
      section: 'RFC 9148 §3',
      run: async (session) => {
        for (const path of [estPath('crts'), '/.well-known/core']) {
          await expectNoSession(ask(driver, session, {}, { method: 'get', path }));
        }
      },
    },
  ];
}

async function renewRevoked(driver: CoapDriver, session: Session): Promise<void> {
  const { request, certificate } = await enrollNew(driver, session, {});
  const certificateFile = session.write('operational.pem', certificate.toString());
  const own = { certificateFile, keyFile: request.keyFile };
  await revoke(session, certificate.serialNumber, 'key-compromise');
  expectRefusal(await sendEnrollment(driver, session, { device: own }, request, { resource: 'sren' }), '4.01');
}
