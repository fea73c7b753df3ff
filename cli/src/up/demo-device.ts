/**
 * The device for trying things out over CoAP, where nobody has a password (RFC 9148 §3): its manufacturer and its IDevID
 * (IEEE 802.1AR), made for this directory alone. They are made in directories for trying out, and in no other.
 */
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { basicConstraints, keyUsage } from '@gatehouse/pkix/extensions';
import { displayName, parseName } from '@gatehouse/pkix/names';
import { decodePem, encodePem } from '@gatehouse/pkix/pem';
import { writeFileAtomic, writePrivateFile } from '@gatehouse/runtime/private-file';
import type { DataDirectory } from '../data-directory.ts';
import { makeCertificate } from '../self-made-certificate.ts';
import { demoNames } from './demo-user.ts';

/** Paths of its files, relative to the data directory. */
export const demoDeviceFiles = {
  /** The root of the manufacturer, as it stands in `est.trustAnchors`. */
  manufacturer: 'demo/manufacturer.pem',
  /** With this key anybody can make further devices. */
  manufacturerKey: 'demo/manufacturer.key',
  deviceCertificate: 'demo/device.pem',
  deviceKey: 'demo/device.key',
} as const;

/**
 * The manufacturer as a trust anchor of `est.trustAnchors`. A device may call itself what it likes, but never by the serial
 * number of another.
 */
export const demoTrustAnchor = {
  name: 'demo-manufacturer',
  file: demoDeviceFiles.manufacturer,
  labels: ['default', 'tls-server', 'tls-client', 'tls-server-client', 'device-identity'],
  operations: ['simpleenroll', 'serverkeygen', 'csrattrs'],
  names: {
    dnsSuffixes: demoNames.dnsSuffixes,
    ipRanges: demoNames.ipRanges,
    subjectAttributes: ['serialNumber={serialNumber}', 'device-identity:CN=*'],
  },
} as const;

/** Whether the manufacturer is there: it is written last. */
export function hasDemoManufacturer(data: DataDirectory): boolean {
  return existsSync(join(data.path, demoDeviceFiles.manufacturer));
}

/** Whether the device is there with all that belongs to it: an operator may have taken it away. */
export function hasDemoDevice(data: DataDirectory): boolean {
  const { manufacturer, deviceCertificate, deviceKey } = demoDeviceFiles;
  return [manufacturer, deviceCertificate, deviceKey].every((name) => existsSync(join(data.path, name)));
}

/** Makes manufacturer and device; where there is a manufacturer, nothing is made, not even a device that is gone. */
export async function makeDemoDevice(data: DataDirectory): Promise<void> {
  const path = (name: keyof typeof demoDeviceFiles): string => join(data.path, demoDeviceFiles[name]);
  if (hasDemoManufacturer(data)) return;
  mkdirSync(join(data.path, 'demo'), { recursive: true, mode: 0o700 });
  const manufacturer = { name: parseName('CN=Demo manufacturer root,O=Demo manufacturer'), key: newKey() };
  const serialNumber = randomBytes(4).toString('hex').toUpperCase();
  const device = {
    // A host name, so that it can ask for a certificate of a server with its own subject too.
    name: parseName(`CN=device-${serialNumber.toLowerCase()}.example.test,serialNumber=${serialNumber}`),
    key: newKey(),
  };
  const notBefore = new Date(Math.floor(Date.now() / 1000) * 1000 - 3_600_000);
  const root = makeCertificate({
    issuer: manufacturer,
    subject: manufacturer,
    notBefore,
    notAfter: endless,
    extensions: [basicConstraints({ ca: true }), keyUsage(['keyCertSign', 'cRLSign'])],
  });
  const identity = makeCertificate({
    issuer: manufacturer,
    subject: device,
    notBefore,
    notAfter: endless,
    extensions: [basicConstraints({ ca: false }), keyUsage(['digitalSignature'])],
  });
  writePrivateFile(path('manufacturerKey'), keyText(manufacturer.key));
  writePrivateFile(path('deviceKey'), keyText(device.key));
  writeFileAtomic(path('deviceCertificate'), encodePem('CERTIFICATE', identity));
  writeFileAtomic(path('manufacturer'), encodePem('CERTIFICATE', root));
}

/** Subject of its IDevID as `openssl req -subj` takes it; undefined when there is none that can be read. */
export function demoDeviceSubject(data: DataDirectory): string | undefined {
  try {
    const pem = readFileSync(join(data.path, demoDeviceFiles.deviceCertificate), 'latin1');
    const [block] = decodePem(pem, ['CERTIFICATE']);
    if (block === undefined) return undefined;
    const { subject } = readCertificate(block.der);
    const attributes = subject
      .flat()
      .map(({ type, value }) => `/${displayName(type)}=${value.replace(/[/\\+=]/g, '\\$&')}`);
    return attributes.join('');
  } catch {
    // Somebody put another there: it is what the gate says about it that counts.
    return undefined;
  }
}

/** IEEE 802.1AR §8.7, RFC 5280 §4.1.2.5: a date for what has no end. */
const endless = new Date('9999-12-31T23:59:59Z');

// RFC 9148 §3: secp256r1 is what every device has.
function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function keyText(key: KeyObject): string {
  return String(key.export({ format: 'pem', type: 'pkcs8' }));
}
