// A DtlsTransport that sends every message back, with a manufacturer whose devices it lets in: what tests and benchmarks of
// DTLS alone connect to.

import { systemClock } from '@gatehouse/runtime/clock';
import { createLog } from '@gatehouse/runtime/log';
import { createMetrics, type Metrics } from '@gatehouse/runtime/metrics';
import { startDtls } from '../src/dtls/start-dtls.ts';
import {
  type CloseReason,
  type DtlsLimits,
  type DtlsSession,
  type DtlsTransport,
  defaultDtlsLimits,
} from '../src/dtls/transport.ts';
import {
  type Authority,
  createAuthority,
  createManufacturer,
  createServer,
  type Manufacturer,
} from './certificates.ts';
import type { DtlsClientOptions } from './dtls-client.ts';

/** How an echo server differs from an ordinary one. */
export type EchoOptions = {
  readonly host?: string;
  readonly limits?: Partial<DtlsLimits>;
  readonly mtu?: number;
  /** Bytes for the log, line by line. */
  readonly log?: { write(line: string): void };
  /** Whose devices are let in, DER; those of a manufacturer of the server's own unless told. */
  readonly anchors?: readonly Uint8Array[];
};

/** A running one. */
export type EchoServer = {
  readonly transport: DtlsTransport;
  readonly port: number;
  readonly manufacturer: Manufacturer;
  readonly authority: Authority;
  readonly metrics: Metrics;
  /** Of all sessions, in order. */
  readonly received: Buffer[];
  readonly closed: { readonly session: DtlsSession; readonly reason: CloseReason }[];
  /** What a device of the manufacturer needs to connect. */
  device(serial?: string): DtlsClientOptions;
  /** The sum of a counter or gauge over its labels, or over those of `labels`. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  close(): Promise<void>;
};

/** Starts one on a free port of the loopback. What a test did not ask to be limited is not. */
export async function startEcho(options: EchoOptions = {}): Promise<EchoServer> {
  const manufacturer = createManufacturer('Acme');
  const authority = createAuthority('CN=Gatehouse Test CA');
  const server = createServer(authority);
  const metrics = createMetrics();
  const received: Buffer[] = [];
  const closed: { readonly session: DtlsSession; readonly reason: CloseReason }[] = [];
  const transport = await startDtls({
    listen: { host: options.host ?? '127.0.0.1', port: 0 },
    credentials: { certificateChain: [server.certificate], privateKey: server.privateKey },
    trust: { anchors: options.anchors ?? [manufacturer.root.certificate], intermediates: [] },
    limits: {
      ...defaultDtlsLimits,
      sessionsPerAddress: defaultDtlsLimits.sessions,
      handshakesPerAddress: { perSecond: 1_000_000, burst: 1_000_000 },
      ...options.limits,
    },
    mtu: options.mtu ?? 1280,
    log: createLog({ name: 'test', level: options.log === undefined ? 'silent' : 'debug', destination: options.log }),
    clock: systemClock,
    metrics,
    events: {
      opened: () => undefined,
      message: (session, data) => {
        received.push(Buffer.from(data));
        session.send(data);
      },
      closed: (session, reason) => closed.push({ session, reason }),
    },
  });
  let devices = 0;
  return {
    transport,
    port: transport.address.port,
    manufacturer,
    authority,
    metrics,
    received,
    closed,
    device: (serial = `echo-${devices++}`) => ({
      address: '127.0.0.1',
      port: transport.address.port,
      trustAnchor: authority.certificate,
      ...manufacturer.createDevice(serial),
    }),
    metric: async (name, labels = {}) => {
      const text = await metrics.registry.metrics();
      const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
      return text
        .split('\n')
        .filter(
          (line) => new RegExp(`^gatehouse_${name}[ {]`).test(line) && wanted.every((each) => line.includes(each)),
        )
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    },
    close: () => transport.close(),
  };
}
