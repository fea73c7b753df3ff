/**
 * Where relying parties find the status gate that `up` starts. It goes into every certificate, so it is settled before the
 * core starts; and where the system chooses the ports, the gate gets the one of the last start again as long as nobody else
 * has it, because what was issued then still names it. A base URL that the operator chose is never changed.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { loadConfiguration } from '@gatehouse/runtime/configuration';
import { readYaml } from '@gatehouse/runtime/configuration/document';
import { FatalError } from '@gatehouse/runtime/fatal';
import { writeFileAtomic } from '@gatehouse/runtime/private-file';
import { formatAddress } from '@gatehouse/runtime/run-file';
import type { DataDirectory } from '../data-directory.ts';
import { isForTryingOut } from './demo-user.ts';
import { urlOf } from './endpoints.ts';
import { automaticPorts } from './ports.ts';

/** What {@link settleStatusAddress} takes. */
export type StatusAddressOptions = {
  readonly data: DataDirectory;
  /** Whether `up` starts the status gate. */
  readonly isStarted: boolean;
  /** Whether the system chooses the ports. */
  readonly isAutomatic: boolean;
  /** `--set` arguments of the operator. */
  readonly set: readonly string[];
};

/** What was settled. */
export type StatusAddress = {
  /** What certificates name as the place of their status; undefined: none. */
  readonly baseUrl: string | undefined;
  /** `--set` arguments of the core. */
  readonly core: readonly string[];
  /** `--set` arguments of the gate. */
  readonly gate: readonly string[];
  /** Keeps the port for the next start, where it was chosen here. */
  remember(): void;
};

type Listen = { readonly host: string; readonly port: number };

/** Where the credential of the gate is kept, for a gatehouse.yaml that says nothing of the gate. */
const credential = 'ra/status/credential.pem';

/** Settles it. Throws FatalError when the configuration is not in order. */
export async function settleStatusAddress(options: StatusAddressOptions): Promise<StatusAddress> {
  const { data, isStarted, isAutomatic, set } = options;
  const { gateOf, baseUrlOf } = await readers(data);
  const isMentioned = mentionsStatus(data);
  const ofGate = isMentioned ? [] : [`status.core.credential=${credential}`];

  const own = urlOf('http', formatAddress(gateOf(ofGate)));
  // A directory that was made before there was a status gate goes on as a new one begins.
  const isOwnByDefault = !isMentioned && (isForTryingOut(data) || !existsSync(data.configuration));
  const configured = baseUrlOf([]) ?? (isOwnByDefault ? own : undefined);

  const gate = [...ofGate, ...(isAutomatic ? automaticPorts('status') : []), ...set];
  const wanted = gateOf(gate);
  const isChosen = isStarted && wanted.port === 0;
  const listen = isChosen ? { ...wanted, port: await choosePort(portFile(data), wanted.host) } : wanted;
  const core = [...(configured === own ? [ownBaseUrl(isStarted, listen)] : []), ...set];
  return {
    baseUrl: baseUrlOf(core),
    core,
    gate: isChosen ? [...gate, `status.listen.port=${listen.port}`] : gate,
    remember: () => {
      if (isChosen) rememberPort(portFile(data), listen.port);
    },
  };
}

function portFile(data: DataDirectory): string {
  return join(data.path, 'run/status-port');
}

/** Certificates name the gate where it is to be reached; where that is not known, nothing. */
function ownBaseUrl(isStarted: boolean, listen: Listen): string {
  const isKnown = isStarted || listen.port !== 0;
  return `core.status.baseUrl=${isKnown ? urlOf('http', formatAddress(listen)) : 'null'}`;
}

/** The two sections as their processes read them. */
async function readers(data: DataDirectory) {
  const [{ coreConfigurationSchema }, { statusSchema }] = await Promise.all([
    import('@gatehouse/ca-core/configuration'),
    import('@gatehouse/gateway-status/config'),
  ]);
  const file = existsSync(data.configuration) ? data.configuration : undefined;
  return {
    gateOf: (set: readonly string[]): Listen =>
      loadConfiguration({ schema: statusSchema, section: 'status', file, set }).listen,
    baseUrlOf: (set: readonly string[]): string | undefined =>
      loadConfiguration({ schema: coreConfigurationSchema, section: 'core', file, set }).status.baseUrl,
  };
}

/** Whether gatehouse.yaml has a section for the gate; one that cannot be read is refused when it is loaded. */
function mentionsStatus({ configuration }: DataDirectory): boolean {
  if (!existsSync(configuration)) return false;
  const yaml = readYaml(readFileSync(configuration, 'utf8'));
  return yaml.ok && typeof yaml.value === 'object' && yaml.value !== null && 'status' in yaml.value;
}

/** The port of the last start, when it is free; else another. */
async function choosePort(file: string, host: string): Promise<number> {
  const last = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  return isPort(last) && (await isFree(host, last)) ? last : await findFreePort(host);
}

function rememberPort(file: string, port: number): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileAtomic(file, `${port}\n`);
  } catch {
    // A directory that cannot be written is told by the core, which writes there too.
  }
}

// Below the ranges from which systems take the ports of outgoing connections (Linux 32768, others 49152): nobody is given
// it by chance between now and the moment when the gate listens.
const lowest = 20_000;
const highest = 32_767;
const attempts = 100;

async function findFreePort(host: string): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    if (await isFree(host, port)) return port;
  }
  throw new FatalError(`no port from ${lowest} to ${highest} is free on ${host} for the status gate`, {
    hint: 'is status.listen.host an address of this machine? Else choose a port: --set status.listen.port=6960',
  });
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65_536;
}

async function isFree(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  return await promise;
}
