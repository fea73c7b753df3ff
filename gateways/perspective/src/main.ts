// Starts a remote perspective: configuration → listener → key → service. Wiring only. It goes on while the keep is away,
// with the key and the labels that it had.

import { join } from 'node:path';
import { type GateBase, type GateParts, openGateBase, runGateProcess } from '@gatehouse/gateway-kit/gate-base';
import { PerspectiveServiceDefinition } from '@gatehouse/ra-client/perspective-service';
import { loadConfiguration } from '@gatehouse/runtime/configuration';
import { FatalError } from '@gatehouse/runtime/fatal';
import { listenForCallers } from '@gatehouse/runtime/grpc-listener';
import type { ListenAddress } from '@gatehouse/runtime/listen';
import { formatAddress } from '@gatehouse/runtime/run-file';
import { Server } from '@grpc/grpc-js';
import { type PerspectiveConfiguration, perspectiveSchema } from './config.ts';
import { createPerspective } from './perspective.ts';
import { identifyParty, perspectiveService } from './server.ts';
import { clientAnchorsOf, serverIdentityOf } from './server-identity.ts';

/** Where the configuration is. */
export type RunPerspectiveOptions = {
  /** The data directory: the folder of gatehouse.yaml. */
  readonly directory: string;
  /** `--set` arguments. */
  readonly set?: readonly string[] | undefined;
  /** Which perspective it is; the one that is configured unless told. */
  readonly name?: string | undefined;
};

const section = 'perspective';
/** A request is a name and some ids; a statement has 16 KiB. */
const largestMessage = 64 * 1024;
const drainMs = 5_000;

/** Name of the process, of its run file and of its log. */
export function processName(name: string): string {
  return `${section}-${name}`;
}

/** Runs a perspective until it is told to stop. */
export async function runPerspective({ directory, set = [], name }: RunPerspectiveOptions): Promise<void> {
  const file = join(directory, 'gatehouse.yaml');
  const all = [...set, ...(name === undefined ? [] : [`${section}.name=${JSON.stringify(name)}`])];
  const configured = loadConfiguration({ schema: perspectiveSchema, section, file, set: all });
  await runGateProcess(
    { name: processName(configured.name), section, schema: perspectiveSchema, file, set: all },
    async (parts) => {
      await startPerspective(parts);
    },
  );
}

/** Brings a perspective up inside a process that runs already. @returns where it listens */
export async function startPerspective(parts: GateParts<PerspectiveConfiguration>): Promise<ListenAddress> {
  const { base, listens } = await openGateBase(parts, { core: true, credential: false });
  const { configuration, credential, clock, log, metrics } = base;
  refuseOtherCredential(base);
  refuseUnreachable(configuration);

  const server = new Server({
    'grpc.max_receive_message_length': largestMessage,
    'grpc.max_send_message_length': largestMessage,
  });
  const listener = await listenForCallers({
    ...configuration.listen,
    setting: `${section}.listen.port`,
    server,
    identity: serverIdentityOf(credential.current()),
    clientAnchors: clientAnchorsOf(credential.current()),
    identifyCaller: identifyParty,
    maximumConnections: configuration.limits.connections,
    clock,
    log,
  });
  const stopFollowing = credential.onChange((changed) => {
    listener.replaceIdentity(serverIdentityOf(changed), clientAnchorsOf(changed));
  });
  const perspective = createPerspective({
    holder: credential.current().party,
    address: configuration.advertise ?? formatAddress(listener.address),
    validation: configuration.validation,
    keyFile: base.resolvePath(configuration.signingKey),
    keyLife: configuration.signingKeyLife,
    core: base.core.validation,
    clock,
    log,
    metrics,
  });
  server.addService(
    PerspectiveServiceDefinition,
    perspectiveService({ perspective, configuration, callerOf: listener.callerOf, clock, log, metrics }),
  );
  base.addReadinessCheck(() => perspective.problems());
  base.onShutdown('perspective', () => perspective.close());
  listens({
    address: listener.address,
    close: async () => {
      stopFollowing();
      await listener.close(drainMs);
    },
  });
  log.info({ address: formatAddress(listener.address), callers: configuration.callers }, 'listening');
  return listener.address;
}

/** A statement is signed in the name of the credential: it must be the one that is meant. */
function refuseOtherCredential({ configuration, credential }: GateBase<PerspectiveConfiguration>): void {
  const { party } = credential.current();
  if (party.kind === 'perspective' && party.name === configuration.name) return;
  throw new FatalError(
    `${configuration.core.credential} is the credential of ${party.uri}, not of the perspective ${configuration.name}`,
    { hint: "set perspective.name and perspective.core.credential, or join: 'gatehouse perspective join --token …'" },
  );
}

/** Gates dial what is registered. */
function refuseUnreachable({ listen, advertise }: PerspectiveConfiguration): void {
  if (advertise !== undefined || (listen.host !== '0.0.0.0' && listen.host !== '::')) return;
  throw new FatalError(`perspective.listen.host is ${listen.host}, which is no address that gates could dial`, {
    hint: 'say in perspective.advertise where they reach it: --set perspective.advertise=203.0.113.7:5290',
    exitCode: 78,
  });
}
