// What the life of every gate has in common, whatever it speaks: configuration, management listener, client of the keep,
// readiness, run file, and an orderly end. How it listens is for gate-process and plain-gate-process.

import { dirname, resolve } from 'node:path';
import { type CoreClient, connectCore } from '@gatehouse/ra-client/client';
import { type CredentialSource, openCredentialFile } from '@gatehouse/ra-client/credential-source';
import { type Clock, systemClock } from '@gatehouse/runtime/clock';
import { loadConfiguration } from '@gatehouse/runtime/configuration';
import { type ProcessLife, runProcess } from '@gatehouse/runtime/lifecycle';
import type { ListenAddress } from '@gatehouse/runtime/listen';
import { createLog, type Logger } from '@gatehouse/runtime/log';
import { type ReadinessProblem, startManagement } from '@gatehouse/runtime/management';
import { createMetrics, type Metrics } from '@gatehouse/runtime/metrics';
import { formatAddress, removeRunFile, writeRunFile } from '@gatehouse/runtime/run-file';
import type { z } from 'zod';
import type { CommonGateConfiguration } from './gate-configuration.ts';
import { describeCore, describeCredential, refuseEndedCredential } from './readiness.ts';

/** What the configuration of everything on this side of the bridge has. */
export type BaseConfiguration = Pick<CommonGateConfiguration, 'management' | 'core'>;

/** What every gate's `start` gets, beside a way to serve. */
export type GateBase<Configuration> = {
  readonly name: string;
  readonly configuration: Configuration;
  /** Folder of gatehouse.yaml; paths in the configuration are relative to it. */
  readonly directory: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly core: CoreClient;
  /** Own credential, as it is now. */
  readonly credential: CredentialSource;
  /** Name of this RA, from its credential. */
  readonly registrationAuthority: string;
  /** Absolute path of a path in the configuration. */
  resolvePath(path: string): string;
  /** Adds reasons why the gate should not get traffic. */
  addReadinessCheck(check: () => readonly ReadinessProblem[]): void;
  /** Called in reverse order of registration when the process ends. */
  onShutdown(name: string, stop: () => void | Promise<void>): void;
};

/** Where a gate's configuration is, and what it is called. */
export type GateRunOptions<Schema> = {
  /** Name of the process, and of its section in gatehouse.yaml unless that is told. */
  readonly name: string;
  /** Name of the section, where several processes read one. */
  readonly section?: string | undefined;
  /** `z.strictObject({ ...gateShape(port), … })`, or with `plainGateShape`. */
  readonly schema: Schema;
  /** Path of gatehouse.yaml. */
  readonly file: string;
  /** `--set` arguments. */
  readonly set?: readonly string[] | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
};

/** What a gate is made of inside a process that runs already. */
export type GateParts<Configuration> = {
  readonly name: string;
  /** Section of gatehouse.yaml, when it is not called as the process. */
  readonly section?: string | undefined;
  readonly configuration: Configuration;
  readonly directory: string;
  readonly log: Logger;
  readonly life: Pick<ProcessLife, 'onShutdown'>;
  readonly clock?: Clock | undefined;
};

/** What a gate still does something useful without; the lack then makes it degraded, not unready. */
export type DispensableParts = {
  /** The keep can be away. */
  readonly core: boolean;
  /** The credential may have ended. */
  readonly credential: boolean;
};

/** A listener for clients. */
export type GateListener = { readonly address: ListenAddress; close(): Promise<void> };

/** Runs a gate until it is told to stop. */
export async function runGateProcess<Schema extends z.ZodType<BaseConfiguration>>(
  options: GateRunOptions<Schema>,
  start: (parts: GateParts<z.output<Schema>>) => Promise<void>,
): Promise<void> {
  const { name, section = name, schema, file, set, environment } = options;
  const log = createLog({ name });
  await runProcess({
    name,
    log,
    start: async (life) => {
      const configuration = loadConfiguration({ schema, section, file, set, environment });
      await start({ name, section, configuration, directory: dirname(resolve(file)), log, life });
      log.info('ready');
    },
  });
}

/**
 * Opens what all gates have.
 *
 * @throws {FatalError} when the credential cannot be read, when the gate cannot work with it, or a listener cannot be bound
 */
export async function openGateBase<Configuration extends BaseConfiguration>(
  parts: GateParts<Configuration>,
  isDispensable: DispensableParts,
): Promise<{
  readonly base: GateBase<Configuration>;
  /** Tells where clients are served, and closes the listener at the end. */
  listens(listener: GateListener): void;
}> {
  const { name, section = name, configuration, directory, log, life, clock = systemClock } = parts;
  const metrics = createMetrics();
  const checks: (() => readonly ReadinessProblem[])[] = [];
  let isListening = false;
  checks.push(() => (isListening ? [] : [{ check: 'listener', detail: 'the gate does not listen yet' }]));

  const resolvePath = (path: string): string => resolve(directory, path);
  const credential = openCredentialFile({ file: resolvePath(configuration.core.credential), log });
  if (!isDispensable.credential)
    refuseEndedCredential(credential.current(), configuration.core.credential, clock.now());
  const management = await startManagement({
    ...configuration.management,
    setting: `${section}.management.port`,
    readiness: () => checks.flatMap((check) => check()),
    metrics,
    log,
  });
  life.onShutdown('management', () => management.close());
  writeRunFile(directory, name, { management: formatAddress(management.address) });
  life.onShutdown('run file', () => removeRunFile(directory, name));

  const core = connectCore({ addresses: configuration.core.addresses, credential, log, metrics, clock });
  checks.push(() => describeCore(core).map((problem) => ({ ...problem, isTolerable: isDispensable.core })));
  checks.push(() =>
    describeCredential(credential.current(), clock.now()).map((problem) => ({
      ...problem,
      isTolerable: isDispensable.credential,
    })),
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

  const base: GateBase<Configuration> = {
    name,
    configuration,
    directory,
    log,
    metrics,
    clock,
    core,
    credential,
    registrationAuthority: credential.current().party.name,
    resolvePath,
    addReadinessCheck: (check) => {
      checks.push(check);
    },
    onShutdown: (partName, stop) => life.onShutdown(partName, stop),
  };
  const listens = (listener: GateListener): void => {
    isListening = true;
    life.onShutdown('listener', async () => {
      isListening = false;
      await listener.close();
    });
    writeRunFile(directory, name, {
      management: formatAddress(management.address),
      address: formatAddress(listener.address),
    });
  };
  return { base, listens };
}
