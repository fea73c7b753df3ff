// The life of a gate over plain HTTP: it has no certificate of its own and asks nobody who he is, and it goes on with what
// it holds while the keep is away. It must never hold a key but that of its credential.

import { formatAddress } from '@gatehouse/runtime/run-file';
import type { z } from 'zod';
import { type GateBase, type GateParts, type GateRunOptions, openGateBase, runGateProcess } from './gate-base.ts';
import type { CommonGateConfiguration } from './gate-configuration.ts';
import { type PlainHandler, type PlainServer, startPlainServer } from './plain-server.ts';
import { createConnectionMetrics } from './request-metrics.ts';

/** What a gate's `start` gets. */
export type PlainGate<Configuration> = GateBase<Configuration> & {
  /** Listens on `configuration.listen`, and drains at the end. */
  serve(handler: PlainHandler): Promise<PlainServer>;
};

/** What {@link runPlainGate} takes. */
export type PlainGateOptions<Schema extends z.ZodType<CommonGateConfiguration>> = GateRunOptions<Schema> & {
  /** Brings the protocol up: makes its handler and calls `gate.serve(handler)`. */
  readonly start: (gate: PlainGate<z.output<Schema>>) => Promise<void>;
};

/** Runs a gate until it is told to stop. */
export async function runPlainGate<Schema extends z.ZodType<CommonGateConfiguration>>(
  options: PlainGateOptions<Schema>,
): Promise<void> {
  await runGateProcess(options, async (parts) => await options.start(await createPlainGate(parts)));
}

/** Wires a gate inside a process that runs already: management listener, client of the keep, readiness. */
export async function createPlainGate<Configuration extends CommonGateConfiguration>(
  parts: GateParts<Configuration>,
): Promise<PlainGate<Configuration>> {
  const { base, listens } = await openGateBase(parts, { core: true, credential: true });
  const { name, configuration, log, metrics } = base;
  const serve = async (handler: PlainHandler): Promise<PlainServer> => {
    const server = await startPlainServer({
      ...configuration.listen,
      setting: `${name}.listen.port`,
      handler,
      log,
      metrics: createConnectionMetrics(metrics),
      limits: { connectionsPerAddress: configuration.limits.connectionsPerAddress },
    });
    listens(server);
    log.info({ address: formatAddress(server.address) }, 'listening');
    return server;
  };
  return { ...base, serve };
}
