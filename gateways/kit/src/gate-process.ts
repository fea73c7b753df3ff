// The life of every gate: read the configuration, open the management listener, reach the keep, get a server certificate, serve, and drain at the end.
// What is particular to a protocol is in the gate's own `start`; nothing in here knows one.

import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type CoreClient, connectCore } from '@gatehouse/ra-client/client';
import { openCredentialFile } from '@gatehouse/ra-client/credential-source';
import { type Clock, systemClock } from '@gatehouse/runtime/clock';
import { loadConfiguration } from '@gatehouse/runtime/configuration';
import { type ProcessLife, runProcess } from '@gatehouse/runtime/lifecycle';
import { createLog, type Logger } from '@gatehouse/runtime/log';
import { type ReadinessProblem, startManagement } from '@gatehouse/runtime/management';
import { createMetrics, type Metrics } from '@gatehouse/runtime/metrics';
import { formatAddress, removeRunFile, writeRunFile } from '@gatehouse/runtime/run-file';
import type { Hono } from 'hono';
import type { z } from 'zod';
import type { GateEnvironment } from './exchange.ts';
import type { GateConfiguration } from './gate-configuration.ts';
import { type HttpsServer, type ServerCertificate, startHttpsServer } from './https-server.ts';
import { describeCore, describeCredential, describeIdentity, refuseEndedCredential } from './readiness.ts';
import { createRequestMetrics } from './request-metrics.ts';
import { openServerIdentity, type ServerIdentity } from './server-identity.ts';

/** What a gate's `start` gets. */
export type Gate<Configuration> = {
  readonly name: string;
  readonly configuration: Configuration;
  /** Folder of gatehouse.yaml; paths in the configuration are relative to it. */
  readonly directory: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly core: CoreClient;
  /** Name of this RA, from its credential. */
  readonly registrationAuthority: string;
  /** Absolute path of a path in the configuration. */
  resolvePath(path: string): string;
  /** Adds reasons why the gate should not get traffic. */
  addReadinessCheck(check: () => readonly ReadinessProblem[]): void;
  /** Called in reverse order of registration when the process ends. */
  onShutdown(name: string, stop: () => void | Promise<void>): void;
  /**
   * The gate's own certificate and key as they are shown now, for protocols whose messages the gate signs itself.
   *
   * @throws {Error} before {@link Gate.serve} has one
   */
  serverCertificate(): ServerCertificate;
  /** Gets the server certificate, listens on `configuration.listen`, and drains at the end. Waits for the core when there is no certificate yet. */
  serve(app: Hono<GateEnvironment>): Promise<HttpsServer>;
};

/** What {@link runGate} takes. */
export type GateOptions<Schema extends z.ZodType<GateConfiguration>> = {
  /** Name of the process and of its section in gatehouse.yaml. */
  readonly name: string;
  /** `z.strictObject({ ...gateShape(port), … })`. */
  readonly schema: Schema;
  /** Path of gatehouse.yaml. */
  readonly file: string;
  /** `--set` arguments. */
  readonly set?: readonly string[] | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
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
  const { name, schema, file, set, environment, start } = options;
  const log = createLog({ name });
  await runProcess({
    name,
    log,
    start: async (life) => {
      const configuration = loadConfiguration({ schema, section: name, file, set, environment });
      await start(await createGate({ name, configuration, directory: dirname(resolve(file)), log, life }));
      log.info('ready');
    },
  });
}

type GateParts<Configuration> = {
  readonly name: string;
  readonly configuration: Configuration;
  readonly directory: string;
  readonly log: Logger;
  readonly life: Pick<ProcessLife, 'onShutdown'>;
  readonly clock?: Clock | undefined;
};

/** Wires a gate inside a process that runs already: management listener, client of the keep, readiness. */
export async function createGate<Configuration extends GateConfiguration>(
  parts: GateParts<Configuration>,
): Promise<Gate<Configuration>> {
  const { name, configuration, directory, log, life, clock = systemClock } = parts;
  const metrics = createMetrics();
  const checks: (() => readonly ReadinessProblem[])[] = [];
  let isListening = false;
  checks.push(() => (isListening ? [] : [{ check: 'listener', detail: 'the gate does not listen yet' }]));

  const resolvePath = (path: string): string => resolve(directory, path);
  const credential = openCredentialFile({ file: resolvePath(configuration.core.credential), log });
  refuseEndedCredential(credential.current(), configuration.core.credential, clock.now());
  const management = await startManagement({
    ...configuration.management,
    setting: `${name}.management.port`,
    readiness: () => checks.flatMap((check) => check()),
    metrics,
    log,
  });
  life.onShutdown('management', () => management.close());
  writeRunFile(directory, name, { management: formatAddress(management.address) });
  life.onShutdown('run file', () => removeRunFile(directory, name));

  const core = connectCore({ addresses: configuration.core.addresses, credential, log, metrics, clock });
  checks.push(
    () => describeCore(core),
    () => describeCredential(credential.current(), clock.now()),
  );
  life.onShutdown('core', async () => {
    await core.close();
    credential.close();
  });
  metrics.gauge({
    name: 'credential_expires_timestamp_seconds',
    help: 'When the credential of this RA ends.',
    collect: (gauge) => gauge.set(credential.current().notAfter.getTime() / 1000),
  });

  let identity: ServerIdentity | undefined;
  const serverCertificate = (): ServerCertificate => {
    if (identity === undefined) throw new Error('the gate has no server certificate yet');
    return identity.current();
  };
  const serve = async (app: Hono<GateEnvironment>): Promise<HttpsServer> => {
    mkdirSync(join(directory, name), { recursive: true, mode: 0o700 });
    const stopWaiting = new AbortController();
    life.onShutdown('waiting for a certificate', () => stopWaiting.abort());
    const opened = await openServerIdentity({
      file: join(directory, name, 'tls.pem'),
      names: configuration.names,
      core,
      registrationAuthority: credential.current().party.name,
      log,
      clock,
      signal: stopWaiting.signal,
    });
    identity = opened;
    life.onShutdown('server certificate', () => opened.close());
    checks.push(() => describeIdentity(opened, clock));
    metrics.gauge({
      name: 'server_certificate_expires_timestamp_seconds',
      help: 'When the server certificate of this gate ends.',
      collect: (gauge) => gauge.set(opened.notAfter.getTime() / 1000),
    });
    const server = await startHttpsServer({
      ...configuration.listen,
      setting: `${name}.listen.port`,
      app,
      certificate: opened.current(),
      log,
      metrics: createRequestMetrics(metrics),
      limits: { connectionsPerAddress: configuration.limits.connectionsPerAddress },
    });
    opened.onChange((certificate) => server.replaceCertificate(certificate));
    isListening = true;
    life.onShutdown('listener', async () => {
      isListening = false;
      await server.close();
    });
    writeRunFile(directory, name, {
      management: formatAddress(management.address),
      address: formatAddress(server.address),
    });
    log.info({ address: formatAddress(server.address), names: configuration.names }, 'listening');
    return server;
  };

  return {
    name,
    configuration,
    directory,
    log,
    metrics,
    clock,
    core,
    registrationAuthority: credential.current().party.name,
    resolvePath,
    addReadinessCheck: (check) => {
      checks.push(check);
    },
    onShutdown: (partName, stop) => life.onShutdown(partName, stop),
    serverCertificate,
    serve,
  };
}
