// What devices are there for: trust anchors, certificates and their renewal, keys from the gate, RFC 9148 §4, with blocks
// of every size that constrained networks have.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { approveRequestOf } from '../approval.ts';
import { publicKeyOf, type RequestFiles } from '../certification-requests.ts';
import type { Operation } from '../client.ts';
import { output } from '../command.ts';
import { curl, splitPem } from '../curl/request.ts';
import type { Session } from '../session.ts';
import { approvalLabel } from '../stack-configuration.ts';
import { ask, type CoapCall, type CoapDriver, describeAnswer } from './driver.ts';
import {
  countIssued,
  enroll,
  estPath,
  expectIssued,
  formats,
  makeDeviceRequest,
  manufacturersOf,
  plainLabel,
  readCertificates,
  sendEnrollment,
} from './est.ts';
import type { Device } from './manufacturer.ts';
import { readMultipart } from './multipart.ts';

/** Octets of a block, RFC 7959 §2.2, that clients are driven with. */
export const blockSizes = [64, 128, 256, 512, 1024] as const;

/** Operations of devices that the gate knows. */
export function enrollment(driver: CoapDriver): readonly Operation[] {
  const sized = blockSizes.flatMap((blockSize) => [
    {
      name: `crts, blocks of ${blockSize}`,
      section: 'RFC 9148 §4.2, RFC 7959 §2.4',
      run: (session: Session) => fetchAnchors(driver, session, { blockSize }),
    },
    {
      name: `sen, blocks of ${blockSize}`,
      section: 'RFC 9148 §4.6, RFC 7959 §3.3',
      run: async (session: Session) => {
        await enrollNew(driver, session, { blockSize });
      },
    },
  ]);
  return [
    ...sized,
    {
      name: 'crts as 287: the root alone',
      section: 'RFC 9148 §4.3',
      run: (session) => fetchRoot(driver, session),
    },
    {
      name: 'sen, one certificate as 287',
      section: 'RFC 9148 §4.3',
      run: (session) => enrollAccepting(driver, session),
    },
    {
      name: 'sen under the short root, under the default label',
      section: 'RFC 9148 §4.1',
      run: (session) => enrollByOtherPaths(driver, session),
    },
    { name: 'sen, not confirmable', section: 'RFC 7252 §4.3', run: (session) => enrollNonConfirmable(driver, session) },
    {
      name: 'sen twice with the same request: the same certificate',
      section: 'RFC 9148 §4.7',
      run: (session) => enrollTwice(driver, session),
    },
    { name: 'sen by a device of P-384', section: 'RFC 9148 §3', run: (session) => enrollOtherCurve(driver, session) },
    {
      name: 'sen by a device that is known by HardwareModuleName',
      section: 'RFC 9148 §3, RFC 4108 §5',
      run: (session) => enrollModule(driver, session),
    },
    {
      name: 'sen by a device whose certificate is over, where its manufacturer allows it',
      section: 'IEEE 802.1AR',
      run: async (session) => {
        const device = manufacturersOf(session).outlived;
        await enroll(driver, session, { device }, await makeDeviceRequest(session, device));
      },
    },
    { name: 'sren with the certificate of sen', section: 'RFC 9148 §4.2', run: (session) => renew(driver, session) },
    ...([64, 512] as const).flatMap((blockSize) => [
      {
        name: `skg, blocks of ${blockSize}`,
        section: 'RFC 9148 §4.8',
        run: (session: Session) => generateKey(driver, session, 'skg', { blockSize }),
      },
      {
        name: `skc, blocks of ${blockSize}`,
        section: 'RFC 9148 §4.8',
        run: (session: Session) => generateKey(driver, session, 'skc', { blockSize }),
      },
    ]),
    ...([64, 1024] as const).map((blockSize) => ({
      name: `att as csrattrs of EST has it, blocks of ${blockSize}`,
      section: 'RFC 9148 §4.2',
      run: (session: Session) => fetchAttributes(driver, session, { blockSize }),
    })),
    {
      name: 'sen waits for a person, and is then answered',
      section: 'RFC 9148 §4.7',
      run: (session) => enrollAfterApproval(driver, session),
    },
  ];
}

/** Makes a device and enrols it. */
export async function enrollNew(driver: CoapDriver, session: Session, call: CoapCall, path?: string) {
  const device = await manufacturersOf(session).makeDevice();
  const request = await makeDeviceRequest(session, device);
  const certificate = await enroll(driver, session, { device, ...call }, request, { path });
  return { device, request, certificate };
}

/** Fetches the trust anchors, which must be those that the operator has. */
export async function fetchAnchors(driver: CoapDriver, session: Session, call: CoapCall): Promise<void> {
  const device = await manufacturersOf(session).makeDevice();
  const request = { method: 'get', path: estPath('crts'), accept: formats.certsOnly } as const;
  const answer = await ask(driver, session, { device, ...call }, request);
  assert.equal(answer.code, '2.05', describeAnswer(answer));
  assert.equal(answer.contentFormat, formats.certsOnly);
  const { trustAnchor, chain } = session.stack.endpoints;
  const known = [trustAnchor, chain].flatMap((file) => splitPem(readFileSync(file, 'latin1')));
  const fingerprints = (certificates: readonly X509Certificate[]) =>
    certificates.map(({ fingerprint256 }) => fingerprint256).toSorted();
  assert.deepEqual(
    fingerprints(await readCertificates(answer.payload, formats.certsOnly)),
    fingerprints(known.map((block) => new X509Certificate(block))),
  );
}

async function fetchRoot(driver: CoapDriver, session: Session): Promise<void> {
  const device = await manufacturersOf(session).makeDevice();
  const request = { method: 'get', path: estPath('crts'), accept: formats.certificate } as const;
  const answer = await ask(driver, session, { device }, request);
  assert.equal(answer.code, '2.05', describeAnswer(answer));
  assert.equal(answer.contentFormat, formats.certificate);
  const [root] = await readCertificates(answer.payload, formats.certificate);
  const known = new X509Certificate(readFileSync(session.stack.endpoints.trustAnchor));
  assert.equal(root?.fingerprint256, known.fingerprint256);
}

async function enrollAccepting(driver: CoapDriver, session: Session): Promise<void> {
  for (const accept of [formats.certificate, formats.certsOnly]) {
    const device = await manufacturersOf(session).makeDevice();
    await enroll(driver, session, { device }, await makeDeviceRequest(session, device), { accept });
  }
}

async function enrollByOtherPaths(driver: CoapDriver, session: Session): Promise<void> {
  for (const path of [`/est/${plainLabel}/sen`, '/est/sen', estPath('sen').replace(`/${plainLabel}`, '')]) {
    await enrollNew(driver, session, {}, path);
  }
}

async function enrollNonConfirmable(driver: CoapDriver, session: Session): Promise<void> {
  const device = await manufacturersOf(session).makeDevice();
  const request = await makeDeviceRequest(session, device);
  await enroll(driver, session, { device }, request, { isNonConfirmable: true });
}

async function enrollTwice(driver: CoapDriver, session: Session): Promise<void> {
  const { device, request, certificate } = await enrollNew(driver, session, {});
  const again = await enroll(driver, session, { device, blockSize: 64 }, request);
  assert.equal(again.serialNumber, certificate.serialNumber);
  assert.deepEqual(await countIssued(session, [device]), [1]);
}

async function enrollOtherCurve(driver: CoapDriver, session: Session): Promise<void> {
  const device = await manufacturersOf(session).makeDevice({ curve: 'P-384' });
  await enroll(driver, session, { device }, await makeDeviceRequest(session, device, { kind: 'P-384' }));
}

async function enrollModule(driver: CoapDriver, session: Session): Promise<void> {
  const device = manufacturersOf(session).module;
  await enroll(driver, session, { device }, await makeDeviceRequest(session, device));
}

async function renew(driver: CoapDriver, session: Session): Promise<void> {
  const { device, request, certificate } = await enrollNew(driver, session, {});
  const certificateFile = session.write('operational.pem', certificate.toString());
  const own = { certificateFile, keyFile: request.keyFile };
  const renewed = await enroll(driver, session, { device: own, blockSize: 256 }, request, { resource: 'sren' });
  assert.notEqual(renewed.serialNumber, certificate.serialNumber);
  assert.equal(renewed.subject, certificate.subject);
  assert.deepEqual(await countIssued(session, [device]), [2]);
}

/** Has the gate make a key for a new device, once. */
export async function generateKey(
  driver: CoapDriver,
  session: Session,
  resource: 'skg' | 'skc',
  call: Omit<CoapCall, 'device'>,
): Promise<void> {
  const device = await manufacturersOf(session).makeDevice();
  await askForKey(driver, session, resource, { device, ...call }, await makeDeviceRequest(session, device));
  assert.deepEqual(await countIssued(session, [device]), [1]);
}

/** Has the gate make a key, which must be that of the certificate beside it. @throws {CoapError} when nothing whole came */
export async function askForKey(
  driver: CoapDriver,
  session: Session,
  resource: 'skg' | 'skc',
  call: Omit<CoapCall, 'device'> & { readonly device: Device },
  request: RequestFiles,
): Promise<void> {
  const answer = await sendEnrollment(driver, session, call, request, { path: estPath(resource) });
  assert.equal(answer.code, '2.04', describeAnswer(answer));
  assert.equal(answer.contentFormat, formats.multipart);
  const parts = readMultipart(answer.payload);
  const format = resource === 'skg' ? formats.certsOnly : formats.certificate;
  assert.deepEqual(new Set(parts.map((part) => part.format)), new Set([formats.pkcs8, format]));
  const partOf = (wanted: number) => parts.find((part) => part.format === wanted)?.body ?? Buffer.alloc(0);
  const pem = await output('openssl', ['pkey', '-inform', 'DER'], { input: partOf(formats.pkcs8) });
  const publicKey = await publicKeyOf(session.write(`${call.device.serialNumber}.generated.key`, pem));
  assert.notEqual(publicKey, request.publicKey, 'the key must be a new one');
  await expectIssued(session, { ...answer, contentFormat: format, payload: partOf(format) }, publicKey, format);
}

async function fetchAttributes(driver: CoapDriver, session: Session, call: CoapCall): Promise<void> {
  const device = await manufacturersOf(session).makeDevice();
  const answer = await ask(driver, session, { device, ...call }, { method: 'get', path: estPath('att') });
  assert.equal(answer.code, '2.05', describeAnswer(answer));
  assert.equal(answer.contentFormat, formats.csrAttributes);
  const overHttps = await curl(session, { path: `/.well-known/est/${plainLabel}/csrattrs` });
  assert.equal(answer.payload.toString('base64'), overHttps.body.toString('latin1').replaceAll(/\s/g, ''));
}

async function enrollAfterApproval(driver: CoapDriver, session: Session): Promise<void> {
  const device = await manufacturersOf(session).makeDevice();
  const name = `${device.serialNumber.toLowerCase()}.example.com`;
  const wanted = { subject: [`CN=${name}`], names: [`DNS:${name}`] };
  const request = await makeDeviceRequest(session, device, wanted);
  const path = estPath('sen', approvalLabel);
  const pending = await sendEnrollment(driver, session, { device }, request, { path });
  assert.equal(pending.code, '5.03', describeAnswer(pending));
  assert(pending.maxAge !== undefined && pending.maxAge > 0, 'Max-Age must say when to come again');
  await approveRequestOf(session.stack, name);
  await enroll(driver, session, { device, blockSize: 256 }, request, { path });
}
