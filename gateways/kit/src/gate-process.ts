// The life of a gate over HTTPS: beside what all gates have, it gets a server certificate from the keep, and shows it.
// What is particular to a protocol is in the gate's own `start`; nothing in here knows one.

import { formatAddress } from '@gatehouse/runtime/run-file';
import type { Hono } from 'hono';
import type { z } from 'zod';
import type { RefusalForm } from './answer.ts';
import type { GateEnvironment } from './exchange.ts';
import { type GateBase, type GateParts, type GateRunOptions, openGateBase, runGateProcess } from './gate-base.ts';
import type { GateConfiguration } from './gate-configuration.ts';
import { openGateIdentity } from './gate-identity.ts';
import { type HttpsServer, type ServerCertificate, startHttpsServer } from './https-server.ts';
import { createRequestMetrics } from './request-metrics.ts';
import type { ServerIdentity } from './server-identity.ts';

/** What a gate's `start` gets. */
export type Gate<Configuration> = GateBase<Configuration> & {
  /**
   * The gate's own certificate and key as they are shown now, for protocols whose messages the gate signs itself.
   *
   * @throws {Error} before {@link Gate.serve} has one
   */
  serverCertificate(): ServerCertificate;
  /**
   * Gets the server certificate, listens on `configuration.listen`, and drains at the end. Waits for the core when there is
   * no certificate yet.
   *
   * @param refusalForm how refusals look that are not the app's; a line of text unless told
   */
  serve(app: Hono<GateEnvironment>, refusalForm?: RefusalForm): Promise<HttpsServer>;
};

/** What {@link runGate} takes. */
export type GateOptions<Schema extends z.ZodType<GateConfiguration>> = GateRunOptions<Schema> & {
  /** Brings the protocol up: makes its app and calls `gate.serve(app)`. */
  readonly start: (gate: Gate<z.output<Schema>>) => Promise<void>;
};

/**
 * Runs a gate until it is told to stop.
 *
 * @example await runGate({ name: 'est', schema, file, set, start: async (gate) => { await gate.serve(createApp(gate)); } });
 */
export async function runGate<Schema extends z.ZodType<GateConfiguration>>(
  options: GateOptions<Schema>,
): Promise<void> {
  await runGateProcess(options, async (parts) => await options.start(await createGate(parts)));
}

/** Wires a gate inside a process that runs already: management listener, client of the keep, readiness. */
export async function createGate<Configuration extends GateConfiguration>(
  parts: GateParts<Configuration>,
): Promise<Gate<Configuration>> {
  const { base, listens } = await openGateBase(parts, { core: false, credential: false });
  const { name, configuration, log, metrics } = base;
  let identity: ServerIdentity | undefined;
  const serverCertificate = (): ServerCertificate => {
    if (identity === undefined) throw new Error('the gate has no server certificate yet');
    return identity.current();
  };
  const serve = async (app: Hono<GateEnvironment>, refusalForm?: RefusalForm): Promise<HttpsServer> => {
    const opened = await openGateIdentity(base);
    identity = opened;
    const server = await startHttpsServer({
      ...configuration.listen,
      setting: `${name}.listen.port`,
      app,
      certificate: opened.current(),
      log,
      metrics: createRequestMetrics(metrics),
      limits: { connectionsPerAddress: configuration.limits.connectionsPerAddress },
      refusalForm,
    });
    opened.onChange((certificate) => server.replaceCertificate(certificate));
    listens(server);
    log.info({ address: formatAddress(server.address), names: configuration.names }, 'listening');
    return server;
  };
  return { ...base, serverCertificate, serve };
}
