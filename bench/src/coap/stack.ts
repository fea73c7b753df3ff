/** A keep, an EST gate and a CoAP gate for one benchmark, and the device that both gates know. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { attributeValues } from '@gatehouse/pkix/names';
import { attributeTypes } from '@gatehouse/pkix/object-identifiers';
import { decodePem } from '@gatehouse/pkix/pem';
import { startUp, stopUp } from '../throw-away-stack.ts';

/** A device with the certificate that its manufacturer gave it. */
export type Device = {
  /** In the subject of its certificate. */
  readonly serialNumber: string;
  /** DER. */
  readonly certificate: Uint8Array;
  readonly key: KeyObject;
};

/** A running stack. */
export type CoapStack = {
  readonly directory: string;
  readonly coap: { readonly host: string; readonly port: number; readonly pid: number };
  /** Without a path. */
  readonly estUrl: string;
  /** PEM, and DER. */
  readonly trustAnchor: { readonly pem: string; readonly der: Uint8Array };
  readonly device: Device;
  stop(): Promise<void>;
};

// All clients come from one address here; and what is measured is not the limit.
const withoutLimits = [
  'coap.limits.handshakesPerAddress={perSecond: 1000000, burst: 1000000}',
  'coap.limits.sessionsPerAddress=10000',
].flatMap((setting) => ['--set', setting]);

/** Starts one and waits until it says that it is ready. */
export async function startCoapStack(): Promise<CoapStack> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-bench-coap-'));
  const up = await startUp(directory, '--only', 'est,coap', ...withoutLimits);
  const text = (name: string): string => readFileSync(join(directory, name), 'utf8');
  const endpoints = JSON.parse(text('endpoints.json'));
  const { hostname, port } = new URL(String(endpoints.coap.url));
  const pem = text(String(endpoints.trustAnchor));
  return {
    directory,
    coap: { host: hostname, port: Number(port), pid: JSON.parse(text('run/coap.json')).pid },
    estUrl: String(endpoints.est.url),
    trustAnchor: { pem, der: firstCertificate(pem) },
    device: readDevice(text(String(endpoints.coap.deviceCertificate)), text(String(endpoints.coap.deviceKey))),
    async stop() {
      await stopUp(up);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function readDevice(certificatePem: string, keyPem: string): Device {
  const certificate = firstCertificate(certificatePem);
  const [serialNumber] = attributeValues(readCertificate(certificate).subject, attributeTypes.serialNumber);
  if (serialNumber === undefined) throw new Error('the device for trying out has no serial number');
  return { serialNumber, certificate, key: createPrivateKey(keyPem) };
}

function firstCertificate(pem: string): Uint8Array {
  const [block] = decodePem(pem, ['CERTIFICATE']);
  if (block === undefined) throw new Error('there is no certificate');
  return block.der;
}
