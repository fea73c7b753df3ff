/**
 * One enrollment of the same device on the wire: octets and round trips over CoAP, with different blocks, and the same over
 * EST and HTTPS, counted at a relay. UDP payloads and TCP payloads are counted; the headers below them are not.
 */
import { Agent, request } from 'node:https';
import { connect, createServer, type Socket } from 'node:net';
import { CoapClient } from '@gatehouse/gateway-coap/test-support/coap-client';
import { connectDtls } from '@gatehouse/gateway-coap/test-support/dtls-client';
import { encodePem } from '@gatehouse/pkix/pem';
import { printTable } from '../report.ts';
import { newRequest } from './enrollments.ts';
import type { CoapStack } from './stack.ts';

const contentFormats = { certificatesOnly: 281, certificationRequest: 286, certificate: 287 } as const;

/** What one enrollment took. */
class Tally {
  octetsOut = 0;
  octetsIn = 0;
  datagrams = 0;
  roundTrips = 0;
  #isWaiting = false;

  out(octets: number): void {
    this.octetsOut += octets;
    this.datagrams++;
    this.#isWaiting = true;
  }

  in(octets: number): void {
    this.octetsIn += octets;
    this.datagrams++;
    // What comes behind it in the same flight is no round trip of its own.
    if (this.#isWaiting) this.roundTrips++;
    this.#isWaiting = false;
  }
}

/** Runs and prints the comparison. */
export async function benchWire(stack: CoapStack): Promise<void> {
  const { certificatesOnly, certificate } = contentFormats;
  const ways: readonly (readonly [string, () => Promise<Tally>])[] = [
    ['EST over HTTPS, TLS 1.3', () => overHttps(stack, 'TLSv1.3')],
    ['EST over HTTPS, TLS 1.2', () => overHttps(stack, 'TLSv1.2')],
    ['CoAP, CCM_8, certs-only, blocks of 512', () => overCoap(stack, certificatesOnly, 512)],
    ['CoAP, CCM_8, one certificate, blocks of 512', () => overCoap(stack, certificate, 512)],
    ['CoAP, CCM_8, one certificate, blocks of 1024', () => overCoap(stack, certificate, 1024)],
    ['CoAP, CCM_8, one certificate, blocks of 64', () => overCoap(stack, certificate, 64)],
  ];
  const rows: string[][] = [];
  for (const [name, enroll] of ways) {
    const { octetsOut, octetsIn, datagrams, roundTrips } = await enroll();
    rows.push([name, ...[octetsOut, octetsIn, octetsOut + octetsIn, roundTrips].map(String), String(datagrams)]);
  }
  printTable(
    'one enrollment on the wire, mutual authentication with the same P-256 device certificate',
    ['way', 'octets out', 'octets in', 'sum', 'round trips', 'datagrams or segments'],
    rows,
  );
}

async function overCoap({ coap, device, trustAnchor }: CoapStack, accept: number, blockSize: number): Promise<Tally> {
  const tally = new Tally();
  const session = await connectDtls({
    address: coap.host,
    port: coap.port,
    certificate: device.certificate,
    privateKey: device.key.export({ format: 'der', type: 'pkcs8' }),
    trustAnchor: trustAnchor.der,
    ciphers: 'ECDHE-ECDSA-AES128-CCM8',
    transformOutgoing: (datagram) => {
      tally.out(datagram.length);
      return [datagram];
    },
    transformIncoming: (datagram) => {
      tally.in(datagram.length);
      return [datagram];
    },
  });
  const answer = await new CoapClient(session, { blockSize, responseBlockSize: blockSize }).request({
    method: 'POST',
    path: '/est/sen',
    contentFormat: contentFormats.certificationRequest,
    accept,
    payload: newRequest(device),
  });
  if (answer.code !== '2.04') throw new Error(`sen answered ${answer.code} ${answer.payload.toString()}`);
  session.close();
  return tally;
}

async function overHttps(stack: CoapStack, version: 'TLSv1.2' | 'TLSv1.3'): Promise<Tally> {
  const tally = new Tally();
  const target = new URL(stack.estUrl);
  const relay = createServer((client) => pass(client, connect(Number(target.port), target.hostname), tally));
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const address = relay.address();
  if (address === null || typeof address === 'string') throw new Error('the relay has no port');
  // TCP's own handshake, which carries nothing.
  tally.roundTrips = 1;
  const agent = new Agent({ minVersion: version, maxVersion: version });
  try {
    await post(stack, address.port, agent);
  } finally {
    agent.destroy();
    relay.close();
  }
  return tally;
}

function pass(client: Socket, gate: Socket, tally: Tally): void {
  client.setNoDelay(true);
  gate.setNoDelay(true);
  client.on('data', (bytes) => {
    tally.out(bytes.length);
    gate.write(bytes);
  });
  gate.on('data', (bytes) => {
    tally.in(bytes.length);
    client.write(bytes);
  });
  client.on('close', () => gate.destroy());
  gate.on('close', () => client.destroy());
  // The client is destroyed when it has its answer.
  client.on('error', () => gate.destroy());
  gate.on('error', () => client.destroy());
}

function post({ device, trustAnchor }: CoapStack, port: number, agent: Agent): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const body = Buffer.from(newRequest(device)).toString('base64');
  const outgoing = request(
    {
      host: 'localhost',
      port,
      path: '/.well-known/est/device-identity/simpleenroll',
      method: 'POST',
      agent,
      ca: trustAnchor.pem,
      cert: encodePem('CERTIFICATE', device.certificate),
      key: String(device.key.export({ format: 'pem', type: 'pkcs8' })),
      ecdhCurve: 'P-256',
      headers: { 'content-type': 'application/pkcs10', 'content-length': body.length },
    },
    (answer) => {
      answer.resume();
      answer.on('end', () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`simpleenroll answered ${answer.statusCode}`)),
      );
    },
  );
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}
