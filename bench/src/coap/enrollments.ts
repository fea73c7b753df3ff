/**
 * What enrollments cost the CoAP gate: the whole life of a device that has nothing yet (handshake, upload, certificate,
 * close_notify) and further ones on a session that stands; memory of idle sessions of the gate.
 */
import { generateKeyPairSync } from 'node:crypto';
import { CoapClient } from '@gatehouse/gateway-coap/test-support/coap-client';
import { createDtlsClientContext, type DtlsClient } from '@gatehouse/gateway-coap/test-support/dtls-client';
import { createCertificationRequest } from '@gatehouse/pkix/certification-request';
import { parseName } from '@gatehouse/pkix/names';
import { runLoad } from '../load.ts';
import { processorSeconds } from '../processor-time.ts';
import { printTable } from '../report.ts';
import { residentMegabytes } from '../throw-away-stack.ts';
import { describeMachine, pinToOneCore } from './pinned.ts';
import type { CoapStack, Device } from './stack.ts';

const inFlight = 16;
const idleSessions = 5000;

/** Runs and prints the benchmark; `durationMs` is for each way. */
export async function benchEnrollments(stack: CoapStack, durationMs: number): Promise<void> {
  const isPinned = pinToOneCore(stack.coap.pid);
  const connect = connector(stack);
  const rows: string[][] = [];
  const measure = async (name: string, operation: (index: number) => Promise<void>): Promise<void> => {
    const before = processorSeconds(stack.coap.pid);
    const result = await runLoad(inFlight, durationMs, operation);
    const processorMs = ((processorSeconds(stack.coap.pid) - before) * 1000) / (result.operations * 1.25);
    rows.push([
      name,
      result.perSecond.toFixed(0),
      result.p50.toFixed(1),
      result.p99.toFixed(1),
      processorMs.toFixed(2),
      (1000 / processorMs).toFixed(0),
    ]);
  };
  const wholeLife = async () => {
    const session = await connect();
    await enroll(new CoapClient(session), stack.device);
    session.close();
  };
  // What a gate compiles in its first seconds is not what a device costs it.
  await runLoad(inFlight, durationMs, wholeLife);
  await measure('handshake, enrollment, close_notify', wholeLife);
  await measure('handshake, close_notify', async () => {
    const session = await connect();
    session.close();
  });
  const sessions = await Promise.all(Array.from({ length: inFlight }, connect));
  // One client a session: another would not know which message ids were used already (RFC 7252 §4.4).
  const free = sessions.map((session) => new CoapClient(session));
  await measure('enrollment on a session that stands', async () => {
    const client = free.pop();
    if (client === undefined) throw new Error('more is in flight than there are sessions');
    await enroll(client, stack.device);
    free.push(client);
  });
  for (const session of sessions) session.close();
  printTable(
    `CoAP: sen with a new P-256 key each time, CCM_8, ${inFlight} in flight; the keep signs on the other core`,
    ['what', 'per second', 'p50 ms', 'p99 ms', 'gate processor ms each', 'per second of its processor'],
    rows,
  );
  process.stdout.write(`${describeMachine(isPinned)}\n`);
  await benchIdleSessions(stack, connect);
}

async function benchIdleSessions(stack: CoapStack, connect: () => Promise<DtlsClient>): Promise<void> {
  const before = residentMegabytes(stack.coap.pid) ?? Number.NaN;
  const sessions: DtlsClient[] = [];
  while (sessions.length < idleSessions) {
    sessions.push(...(await Promise.all(Array.from({ length: inFlight }, connect))));
  }
  const then = residentMegabytes(stack.coap.pid) ?? Number.NaN;
  const kibibytes = ((then - before) * 1024) / sessions.length;
  process.stdout.write(
    `the gate with ${sessions.length} idle sessions: ${then} MB resident, ${before} MB before them: ${kibibytes.toFixed(1)} KiB each\n`,
  );
  for (const session of sessions) session.close();
}

function connector({ coap, device, trustAnchor }: CoapStack): () => Promise<DtlsClient> {
  const context = createDtlsClientContext({
    certificate: device.certificate,
    privateKey: device.key.export({ format: 'der', type: 'pkcs8' }),
    trustAnchor: trustAnchor.der,
    ciphers: 'ECDHE-ECDSA-AES128-CCM8',
  });
  return () => context.connect({ address: coap.host, port: coap.port });
}

async function enroll(client: CoapClient, device: Device): Promise<void> {
  const answer = await client.request({
    method: 'POST',
    path: '/.well-known/est/sen',
    contentFormat: 286,
    accept: 281,
    payload: newRequest(device),
  });
  if (answer.code !== '2.04') throw new Error(`sen answered ${answer.code} ${answer.payload.toString()}`);
}

/** A CSR of the device with a key of its own. */
export function newRequest({ serialNumber }: Device): Uint8Array {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return createCertificationRequest({ subject: parseName(`CN=bench,serialNumber=${serialNumber}`), key, names: [] });
}
