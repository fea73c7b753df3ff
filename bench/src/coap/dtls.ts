/**
 * DTLS alone: full mutual handshakes per second with the processor time of the server, memory of idle sessions, and what
 * is left of 20,000 handshakes. The server is the gate's own DTLS with an echo behind it, in a process of its own.
 */
import { createManufacturer } from '@gatehouse/gateway-coap/test-support/certificates';
import { createDtlsClientContext, type DtlsClient } from '@gatehouse/gateway-coap/test-support/dtls-client';
import { type EchoProcess, type EchoState, startEchoProcess } from '@gatehouse/gateway-coap/test-support/echo-process';
import { runLoad } from '../load.ts';
import { printTable } from '../report.ts';
import { handshakeLimit } from './handshake-limit.ts';
import { describeMachine, pinToOneCore } from './pinned.ts';

const inFlight = 16;
const idleSessions = 5000;
const leakRounds = [5_000, 10_000, 15_000, 20_000, 25_000] as const;
const suites = ['ECDHE-ECDSA-AES128-CCM8', 'ECDHE-ECDSA-AES128-GCM-SHA256'];
const kilobyte = 1024;
const megabyte = 1024 * kilobyte;

const manufacturer = createManufacturer('Bench');

/** Runs and prints the benchmark; `durationMs` is for each suite. */
export async function benchDtls(durationMs: number): Promise<void> {
  const server = await startEchoProcess({
    anchors: [manufacturer.root.certificate],
    limits: { sessionsPerAddress: 10_000, handshakesPerAddress: { perSecond: 1_000_000, burst: 1_000_000 } },
  });
  try {
    await benchHandshakes(server, durationMs);
    await benchLeak(server);
    await benchIdleSessions(server);
  } finally {
    await server.stop();
  }
}

async function benchHandshakes(server: EchoProcess, durationMs: number): Promise<void> {
  const isPinned = pinToOneCore(server.pid);
  const limit = handshakeLimit(durationMs / 3);
  const rows: string[][] = [];
  for (const ciphers of suites) {
    const connect = newDevice(server, ciphers);
    const before = await server.state();
    const result = await runLoad(inFlight, durationMs, async () => {
      const client = await connect();
      client.close();
    });
    const then = await server.state();
    // The warm-up is a quarter of the run, and costs the same.
    const processorMs = ((then.processorSeconds - before.processorSeconds) * 1000) / (result.operations * 1.25);
    rows.push([
      ciphers,
      result.perSecond.toFixed(0),
      result.p50.toFixed(1),
      result.p99.toFixed(1),
      processorMs.toFixed(2),
      (1000 / processorMs).toFixed(0),
      (1000 / processorMs / limit).toFixed(2),
    ]);
  }
  rows.push(['the arithmetic alone, node:crypto', '', '', '', (1000 / limit).toFixed(2), limit.toFixed(0), '1.00']);
  printTable(
    `DTLS 1.2: full mutual handshakes, P-256, an intermediate CA in the chain, ${inFlight} in flight`,
    [
      'suite',
      'per second',
      'p50 ms',
      'p99 ms',
      'server processor ms each',
      'per second of its processor',
      'of the arithmetic',
    ],
    rows,
  );
  process.stdout.write(`${describeMachine(isPinned)}\n`);
}

function newDevice(server: EchoProcess, ciphers?: string): () => Promise<DtlsClient> {
  const { trustAnchor, port } = server;
  const context = createDtlsClientContext({ ...manufacturer.createDevice('bench'), trustAnchor, ciphers });
  return () => context.connect({ address: '127.0.0.1', port });
}

async function benchIdleSessions(server: EchoProcess): Promise<void> {
  const connect = newDevice(server);
  const rows: string[][] = [];
  // The second time they find what the first ones left.
  for (const name of ['the first', 'as many again, when those were closed']) {
    const before = await settled(server);
    const clients: DtlsClient[] = [];
    while (clients.length < idleSessions) {
      clients.push(...(await Promise.all(Array.from({ length: inFlight }, connect))));
    }
    const then = await server.state();
    const each = (octets: number): string => (octets / then.established / kilobyte).toFixed(1);
    rows.push([
      name,
      String(then.established),
      (then.residentBytes / megabyte).toFixed(0),
      each(then.residentBytes - before.residentBytes),
      each(then.heapBytes - before.heapBytes),
    ]);
    for (const client of clients) client.close();
  }
  const head = ['idle sessions', 'number', 'resident MB', 'KiB each', 'of it JavaScript'];
  printTable('DTLS: memory of idle sessions', head, rows);
}

async function benchLeak(server: EchoProcess): Promise<void> {
  const connect = newDevice(server);
  const rows: string[][] = [];
  let done = 0;
  for (const count of leakRounds) {
    for (; done < count; done += inFlight) {
      const clients = await Promise.all(Array.from({ length: inFlight }, connect));
      for (const client of clients) client.close();
    }
    const { residentBytes, established, halfOpen } = await settled(server);
    rows.push([String(count), (residentBytes / megabyte).toFixed(1), String(established + halfOpen)]);
  }
  printTable('DTLS: what handshakes leave behind', ['handshakes', 'resident MB', 'sessions left'], rows);
}

/** Its state when it has heard that all clients are gone. */
async function settled(server: EchoProcess): Promise<EchoState> {
  const end = performance.now() + 10_000;
  for (;;) {
    const state = await server.state();
    if (state.established + state.halfOpen === 0 || performance.now() > end) return state;
  }
}
