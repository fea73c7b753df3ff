// Devices of one manufacturer that enrol, renew and have keys made, many at a time: what each of them holds in the end.

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readMultipart } from '@gatehouse/gateway-coap/multipart';
import type { CoapClientResponse } from '@gatehouse/gateway-coap/test-support/coap-client';
import type { DtlsIdentity } from '@gatehouse/gateway-coap/test-support/dtls-client';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { createCertificationRequest } from '@gatehouse/pkix/certification-request';
import { readCertificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import { parseName } from '@gatehouse/pkix/names';
import { PatientDevice } from './coap-device.ts';
import type { CoapHouse } from './coap-house.ts';
import type { CoapWitness } from './coap-witness.ts';
import { canonicalSerialNumber } from './keep-ledger.ts';

/** What a device holds for a request. */
export type Held = {
  readonly operation: 'sen' | 'sren' | 'skg';
  /** Of the device. */
  readonly device: string;
  /** Of the certificate, lower case without leading zeros. */
  readonly serialNumber: string;
  /** When the device began to ask, and when it had the answer. */
  readonly began: Date;
  readonly ended: Date;
  /** How many sessions it took. */
  readonly sessions: number;
};

/** What {@link sendFleet} takes. */
export type FleetOptions = {
  readonly house: Pick<CoapHouse, 'manufacturer' | 'trustAnchor'>;
  /** Where the devices find the gate. */
  readonly port: number;
  readonly witness: CoapWitness;
  /** How many are at work at a time. */
  readonly inFlight: number;
  /** Whether another device comes when one is done. @param count of devices so far */
  readonly goesOn: (count: number) => boolean;
};

/** Content formats, RFC 9148 §4.3. */
const certsOnly = 281;
const privateKey = 284;

let born = 0;

/** Lets devices work until no other comes. @throws Error when one of them cannot be done */
export async function sendFleet({ house, port, witness, inFlight, goesOn }: FleetOptions): Promise<readonly Held[]> {
  const held: Held[] = [];
  let count = 0;
  const work = async (): Promise<void> => {
    while (goesOn(count)) {
      count++;
      const serial = `D${String(++born).padStart(4, '0')}`;
      // Every third of them has its key made.
      const live = count % 3 === 0 ? generate : enrollAndRenew;
      held.push(...(await live({ house, port, witness }, serial)));
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work)).finally(() => {
    count = Number.POSITIVE_INFINITY;
  });
  return held;
}

type World = Pick<FleetOptions, 'house' | 'port' | 'witness'>;

async function enrollAndRenew(world: World, serial: string): Promise<readonly Held[]> {
  const key = newKey();
  const enrolled = await ask(world, bornAs(world.house, serial), { serial, operation: 'sen', key });
  const identity = {
    certificate: enrolled.certificate.der,
    privateKey: key.export({ format: 'der', type: 'pkcs8' }),
    trustAnchor: world.house.trustAnchor,
  };
  const renewed = await ask(world, identity, { serial, operation: 'sren', key: newKey() });
  return [enrolled.held, renewed.held];
}

async function generate(world: World, serial: string): Promise<readonly Held[]> {
  const { held } = await ask(world, bornAs(world.house, serial), { serial, operation: 'skg', key: newKey() });
  return [held];
}

/** What a new device of the manufacturer shows, and whom it believes. */
export function bornAs(house: FleetOptions['house'], serial: string): DtlsIdentity {
  return { ...house.manufacturer.createDevice(serial), trustAnchor: house.trustAnchor };
}

type Errand = { readonly serial: string; readonly operation: Held['operation']; readonly key: KeyObject };

async function ask(
  { port, witness }: World,
  identity: DtlsIdentity,
  { serial, operation, key }: Errand,
): Promise<{ readonly held: Held; readonly certificate: Certificate }> {
  const device = new PatientDevice({ identity, port, witness });
  const began = new Date();
  try {
    const csr = newCsr(serial, key);
    const answer = await device.post(`/est/${operation}`, csr, operation === 'skg' ? undefined : certsOnly);
    if (!answer.code.startsWith('2.')) throw new Error(`${operation}: ${answer.code} ${answer.payload.toString()}`);
    const certificate = operation === 'skg' ? readPair(answer) : readOne(answer.payload);
    if (operation !== 'skg') checkPair(certificate, key);
    const held = {
      operation,
      device: serial,
      serialNumber: canonicalSerialNumber(certificate.serialNumber),
      began,
      ended: new Date(),
    };
    return { held: { ...held, sessions: device.sessions }, certificate };
  } finally {
    device.close();
  }
}

/** A PKCS#10 request of a device, DER. */
export function newCsr(serial: string, key: KeyObject = newKey()): Uint8Array {
  return createCertificationRequest({
    subject: parseName(`CN=device-${serial},serialNumber=${serial}`),
    key,
    names: [],
  });
}

/** The certificate of an answer to `skg`, whose key is its own. */
function readPair({ payload }: CoapClientResponse): Certificate {
  const parts = readMultipart(payload);
  const part = (format: number): Uint8Array => {
    const found = parts.find(({ contentFormat }) => contentFormat === format);
    if (found === undefined) throw new Error(`no part of the answer has format ${format}`);
    return found.content;
  };
  const certificate = readOne(part(certsOnly));
  const key = createPrivateKey({ key: Buffer.from(part(privateKey)), format: 'der', type: 'pkcs8' });
  checkPair(certificate, key);
  return certificate;
}

/** The one certificate of a certs-only body. @throws Error when it is not one */
export function readOne(payload: Uint8Array): Certificate {
  const [der, ...more] = readCertificatesOnly(payload);
  if (der === undefined || more.length > 0) throw new Error('not exactly one certificate');
  return readCertificate(der);
}

function checkPair({ subjectPublicKeyInfo }: Certificate, key: KeyObject): void {
  const expected = createPublicKey(key).export({ format: 'der', type: 'spki' });
  if (!expected.equals(subjectPublicKeyInfo)) throw new Error('the certificate has another key than asked for');
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}
