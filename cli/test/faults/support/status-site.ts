// A core and a status gate, single processes on ports that stay, so that each can be killed and started again where it was.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { CoreClient } from '@gatehouse/ra-client/client';
import { connectAs, connectOperator, joinRegistrationAuthority } from './bridge.ts';
import { type CommandOptions, type RunningCommand, startCommand } from './command.ts';
import { freePort, newDataDirectory } from './data-directory.ts';
import { newSentRequest, untilAnswered } from './enrollment-load.ts';
import { killNow, type Listening, startCore } from './processes.ts';
import { createRelyingParty, type RelyingParty } from './relying-party.ts';

/** A place where status is published. */
export type StatusSite = {
  readonly directory: string;
  /** Where the core listens whenever it runs. */
  readonly address: string;
  readonly relyingParty: RelyingParty;
  startCore(options?: CommandOptions): Promise<RunningCommand>;
  /** Starts the gate and waits until it listens, which needs no core. */
  startGate(): Promise<RunningCommand>;
  /** Connects as the RA that enrols here. */
  connect(): CoreClient;
  connectOperator(): CoreClient;
  /** Status and text of the gate's /readyz. */
  readiness(): Promise<string>;
  /** A metric of the gate, one without labels. */
  metric(name: string): Promise<number>;
};

/**
 * Makes a place: a data directory whose certificates name the gate, and in which the RAs are registered. Nothing runs yet.
 *
 * @param prepared a data directory that was made before; a fresh one unless told
 */
export async function newStatusSite(context: Pick<TestContext, 'after'>, prepared?: string): Promise<StatusSite> {
  const directory = prepared ?? (await newDataDirectory(context));
  const [corePort, gatePort] = [await freePort(), await freePort()];
  const address = `127.0.0.1:${corePort}`;
  const coreSettings = [`core.status.baseUrl=http://127.0.0.1:${gatePort}`];
  const started = <Started extends { readonly command: RunningCommand }>(one: Started): Started => {
    context.after(() => killNow(one.command));
    return one;
  };
  const first = await startCore(directory, corePort, coreSettings);
  try {
    for (const name of ['status', 'load']) await joinRegistrationAuthority(directory, name, address);
  } finally {
    await killNow(first.command);
  }

  return {
    directory,
    address,
    relyingParty: createRelyingParty(directory, gatePort),
    startCore: async (options) => {
      const core: Listening = started(await startCore(directory, corePort, coreSettings, options));
      return core.command;
    },
    startGate: async () => {
      const { command } = started({ command: startStatusGate(directory, address, gatePort) });
      await command.line(/"msg":"ready"/);
      return command;
    },
    connect: () => closedAfter(context, connectAs(directory, 'ra/load/credential.pem', address)),
    connectOperator: () => closedAfter(context, connectOperator(directory, address)),
    readiness: async () => {
      const answer = await fetch(`http://${managementOf(directory)}/readyz`);
      return `${answer.status} ${await answer.text()}`;
    },
    metric: async (name) => {
      const answer = await fetch(`http://${managementOf(directory)}/metrics`);
      return Number(new RegExp(`^gatehouse_${name} (.*)$`, 'm').exec(await answer.text())?.[1]);
    },
  };
}

/** Starts a status gate. */
export function startStatusGate(directory: string, core: string, port: number): RunningCommand {
  const settings = [
    `status.core.addresses=${JSON.stringify([core])}`,
    `status.listen.port=${port}`,
    'status.management.port=0',
  ];
  return startCommand(['run', 'status', '--data', directory, ...settings.flatMap((setting) => ['--set', setting])]);
}

/** Enrols so many certificates, and answers their serial numbers. */
export async function enrollMany(client: CoreClient, count: number): Promise<readonly string[]> {
  const issued = await Promise.all(Array.from({ length: count }, () => untilAnswered(client, newSentRequest())));
  return issued.map(({ serialNumber }) => serialNumber);
}

function managementOf(directory: string): string {
  return JSON.parse(readFileSync(join(directory, 'run/status.json'), 'utf8')).management;
}

function closedAfter(context: Pick<TestContext, 'after'>, client: CoreClient): CoreClient {
  context.after(() => client.close(0));
  return client;
}
