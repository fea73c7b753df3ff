/** The gates that `up` can start, as a table: what each needs before it starts, and what is told about it afterwards. */
import { existsSync } from 'node:fs';
import type { RegistrationAuthority } from '@gatehouse/proto/administration';
import { FatalError } from '@gatehouse/runtime/fatal';
import { splitAddress } from '../address.ts';
import type { DataDirectory, RunFile } from '../data-directory.ts';
import { coapEndpoint, readCoap } from './coap.ts';
import { demoDeviceSubject, makeDemoDevice } from './demo-device.ts';
import { demoNames, demoSubjectAttributes, findDemoUser, isForTryingOut, makeDemoUser } from './demo-user.ts';
import { type Endpoints, urlOf } from './endpoints.ts';
import { isMentioned } from './mentioned.ts';
import { type WantedAddress, wantedAddresses } from './ports.ts';
import { tryAcme, tryCoap, tryEst, tryStatus } from './try-this.ts';

export type GateName = 'est' | 'coap' | 'acme' | 'status';

export type Gate = {
  /** Name of the process, of its section in gatehouse.yaml, and of its RA. */
  readonly name: GateName;
  /** What its RA may ask for in a directory for trying out. One that may ask for nothing is the same everywhere. */
  readonly demoScope: Pick<RegistrationAuthority, 'profiles' | 'scope'>;
  /** Makes what belongs to a directory for trying out: users, secrets. */
  prepareDemo(data: DataDirectory): Promise<void>;
  /** Whether it is started where `--only` names none. */
  startsUnasked(data: DataDirectory): boolean;
  /** Its part of endpoints.json. @param set `--set` arguments that it was started with */
  endpoint(data: DataDirectory, running: RunFile, set: readonly string[]): Promise<Pick<Endpoints, GateName>>;
  /** Commands for people to copy. */
  tryThis(data: DataDirectory, endpoints: Endpoints, set: readonly string[]): Promise<string | undefined>;
  /** Where it listens as configured. Throws FatalError when the configuration is not in order. */
  wantedAddresses(data: DataDirectory, set: readonly string[]): Promise<readonly WantedAddress[]>;
};

const est: Gate = {
  name: 'est',
  demoScope: {
    profiles: [
      'tls-server',
      'tls-client',
      'tls-server-client',
      'tls-server-short-lived',
      'tls-client-short-lived',
      'device-identity',
      'gateway-tls',
    ],
    scope: { ...demoNames, subjectAttributes: demoSubjectAttributes },
  },
  // RFC 9148 §3: the policy of EST over CoAP stands here too, with the device that has no password.
  prepareDemo: async (data) => {
    await makeDemoUser(data);
    await makeDemoDevice(data);
  },
  startsUnasked: () => true,
  endpoint: async (data, running) => ({ est: { url: urlOf('https', running.address), ...(await findDemoUser(data)) } }),
  tryThis: async (data, { est: endpoint }) => (endpoint === undefined ? undefined : tryEst(data, endpoint)),
  wantedAddresses: async (data, set) => {
    const [{ loadConfiguration }, { estSchema }] = await Promise.all([
      import('@gatehouse/runtime/configuration'),
      import('@gatehouse/gateway-est/config'),
    ]);
    return wantedAddresses(
      'est',
      loadConfiguration({ schema: estSchema, section: 'est', file: data.configuration, set }),
    );
  },
};

const coap: Gate = {
  name: 'coap',
  // RFC 9148 §1: EST over another transport, so that whatever one may ask for the other may.
  demoScope: est.demoScope,
  prepareDemo: () => Promise.resolve(),
  startsUnasked: (data) => isWanted(data, 'coap'),
  endpoint: async (data, running, set) => ({ coap: await coapEndpoint(data, urlOf('coaps', running.address), set) }),
  tryThis: async (data, { coap: endpoint }) =>
    endpoint === undefined ? undefined : tryCoap(data, endpoint, demoDeviceSubject(data)),
  wantedAddresses: async (data, set) => wantedAddresses('coap', await readCoap(data, set), 'udp'),
};

const acme: Gate = {
  name: 'acme',
  demoScope: {
    profiles: ['tls-server-validated', 'tls-server-validated-short-lived', 'gateway-tls'],
    // Control of the names is validated: the whole of RFC 2606's `test` may be tried. That of the gate's own is not, so there
    // are few of them.
    scope: {
      ...demoNames,
      dnsSuffixes: ['example.com', 'test', 'localhost', 'gateway-tls:localhost', 'gateway-tls:acme.test'],
      ipRanges: [...demoNames.ipRanges, ...demoNames.ipRanges.map((range) => `gateway-tls:${range}`)],
      subjectAttributes: [],
    },
  },
  prepareDemo: () => Promise.resolve(),
  startsUnasked: (data) => isWanted(data, 'acme'),
  endpoint: async (data, running, set) => {
    const { configuration, baseUrls } = await readAcme(data, set);
    const [canonical] = baseUrls(configuration, Number(splitAddress(running.address).port));
    return { acme: { directory: `${canonical}/directory` } };
  },
  tryThis: async (data, { acme: endpoint }, set) => {
    if (endpoint === undefined) return undefined;
    const { validation } = (await readAcme(data, set)).configuration;
    return tryAcme(data, endpoint, isForTryingOut(data) ? validation.httpPort : undefined);
  },
  wantedAddresses: async (data, set) => wantedAddresses('acme', (await readAcme(data, set)).configuration),
};

async function readAcme(data: DataDirectory, set: readonly string[]) {
  const [{ loadConfiguration }, { acmeSchema, baseUrls }] = await Promise.all([
    import('@gatehouse/runtime/configuration'),
    import('@gatehouse/gateway-acme/config'),
  ]);
  const configuration = loadConfiguration({ schema: acmeSchema, section: 'acme', file: data.configuration, set });
  return { configuration, baseUrls };
}

const status: Gate = {
  name: 'status',
  demoScope: { profiles: [], scope: undefined },
  prepareDemo: () => Promise.resolve(),
  startsUnasked: () => true,
  endpoint: (_data, running) => {
    const url = urlOf('http', running.address);
    return Promise.resolve({ status: { ocsp: `${url}/ocsp`, crl: `${url}/crl` } });
  },
  tryThis: async (data, { status: endpoint, est: enrolled }) =>
    endpoint === undefined ? undefined : tryStatus(data, endpoint, enrolled?.username !== undefined),
  wantedAddresses: async (data, set) => {
    const [{ loadConfiguration }, { statusSchema }] = await Promise.all([
      import('@gatehouse/runtime/configuration'),
      import('@gatehouse/gateway-status/config'),
    ]);
    return wantedAddresses(
      'status',
      loadConfiguration({ schema: statusSchema, section: 'status', file: data.configuration, set }),
    );
  },
};

/** An operator's directory that was made before there was a gate goes on without it. */
function isWanted(data: DataDirectory, name: GateName): boolean {
  return isForTryingOut(data) || !existsSync(data.configuration) || isMentioned(data, name);
}

/** All gates. */
export const gates: readonly Gate[] = [est, coap, acme, status];

/** Refuses a name that is no gate. Throws FatalError. */
export function checkOnly(only: readonly string[]): void {
  const unknown = only.find((name) => name !== 'core' && !gates.some((gate) => gate.name === name));
  if (unknown === undefined) return;
  throw new FatalError(`there is no gate '${unknown}'`, {
    hint: `gates: ${gates.map(({ name }) => name).join(', ')}; '--only core' starts the core alone`,
  });
}

/** The gates that `--only` names; without it those that start unasked. */
export function chooseGates(only: readonly string[], data: DataDirectory): readonly Gate[] {
  return gates.filter((gate) => (only.length === 0 ? gate.startsUnasked(data) : only.includes(gate.name)));
}
