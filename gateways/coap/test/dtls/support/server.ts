// An echo server over DTLS whose clock and limits a test sets, and what it told.

import { createManualClock, type ManualClock } from '@gatehouse/runtime/clock';
import { createLog } from '@gatehouse/runtime/log';
import { createMetrics } from '@gatehouse/runtime/metrics';
import { startDtls } from '../../../src/dtls/start-dtls.ts';
import {
  type CloseReason,
  type DtlsLimits,
  type DtlsSession,
  type DtlsTransport,
  defaultDtlsLimits,
} from '../../../src/dtls/transport.ts';
import { createAuthority, createManufacturer, createServer } from '../../../test-support/certificates.ts';
import { connectDtls, type DtlsClient, type DtlsClientOptions } from '../../../test-support/dtls-client.ts';

export const manufacturer = createManufacturer('Acme');
export const authority = createAuthority('CN=Gatehouse Test CA');
const identity = createServer(authority);
const device = manufacturer.createDevice('1');

/** A running server. */
export type TestServer = {
  readonly transport: DtlsTransport;
  readonly clock: ManualClock;
  readonly port: number;
  readonly opened: DtlsSession[];
  readonly closed: { readonly session: DtlsSession; readonly reason: CloseReason }[];
  /** Messages of log lines with their facts. */
  readonly lines: Record<string, unknown>[];
  connect(options?: Partial<DtlsClientOptions>): Promise<DtlsClient>;
};

/** Runs a server for a test. */
export async function withServer(
  options: {
    readonly limits?: Partial<DtlsLimits>;
    readonly host?: string;
    readonly mtu?: number;
    onMessage?(message: Buffer): void;
  },
  test: (server: TestServer) => Promise<void>,
): Promise<void> {
  const clock = createManualClock(new Date('2026-06-01T12:00:00Z'));
  const opened: DtlsSession[] = [];
  const closed: { session: DtlsSession; reason: CloseReason }[] = [];
  const lines: Record<string, unknown>[] = [];
  const clients: DtlsClient[] = [];
  const transport = await startDtls({
    listen: { host: options.host ?? '127.0.0.1', port: 0 },
    credentials: { certificateChain: [identity.certificate], privateKey: identity.privateKey },
    trust: { anchors: [manufacturer.root.certificate], intermediates: [] },
    limits: { ...defaultDtlsLimits, ...options.limits },
    mtu: options.mtu ?? 1280,
    log: createLog({
      name: 'test',
      level: 'debug',
      destination: { write: (line) => void lines.push(JSON.parse(line)) },
    }),
    clock,
    metrics: createMetrics(),
    events: {
      opened: (session) => void opened.push(session),
      message: (session, data) => {
        options.onMessage?.(Buffer.from(data));
        session.send(data);
      },
      closed: (session, reason) => void closed.push({ session, reason }),
    },
  });
  const { port } = transport.address;
  try {
    await test({
      transport,
      clock,
      port,
      opened,
      closed,
      lines,
      connect: async (more = {}) => {
        const client = await connectDtls({
          address: '127.0.0.1',
          port,
          trustAnchor: authority.certificate,
          certificate: device.certificate,
          chain: device.chain,
          privateKey: device.privateKey,
          ...more,
        });
        clients.push(client);
        return client;
      },
    });
  } finally {
    for (const client of clients) client.destroy();
    await transport.close();
  }
}
