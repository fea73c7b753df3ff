/**
 * Where relying parties find the status gate that `up` starts. It goes into every certificate, so it is settled before the
 * core starts. A base URL that the operator chose is never changed.
 */
import { existsSync } from 'node:fs';
import { loadConfiguration } from '@gatehouse/runtime/configuration';
import { formatAddress } from '@gatehouse/runtime/run-file';
import type { DataDirectory } from '../data-directory.ts';
import { isForTryingOut } from './demo-user.ts';
import { urlOf } from './endpoints.ts';
import { isMentioned } from './mentioned.ts';
import { automaticPorts } from './ports.ts';
import { settlePort } from './settled-port.ts';

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
  const hasSection = isMentioned(data, 'status');
  const ofGate = hasSection ? [] : [`status.core.credential=${credential}`];

  const own = urlOf('http', formatAddress(gateOf(ofGate)));
  // A directory that was made before there was a status gate goes on as a new one begins.
  const isOwnByDefault = !hasSection && (isForTryingOut(data) || !existsSync(data.configuration));
  const configured = baseUrlOf([]) ?? (isOwnByDefault ? own : undefined);

  const gate = [...ofGate, ...(isAutomatic ? automaticPorts('status') : []), ...set];
  const wanted = gateOf(gate);
  const settled = isStarted && wanted.port === 0 ? await settlePort(data, 'status', wanted.host) : undefined;
  const listen = settled === undefined ? wanted : { ...wanted, port: settled.port };
  const core = [...(configured === own ? [ownBaseUrl(isStarted, listen)] : []), ...set];
  return {
    baseUrl: baseUrlOf(core),
    core,
    gate: settled === undefined ? gate : [...gate, `status.listen.port=${settled.port}`],
    remember: () => settled?.remember(),
  };
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
