/** The gates that `up` can start, as a table: what each needs before it starts, and what is told about it afterwards. */
import type { RegistrationAuthority } from '@gatehouse/proto/administration';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { DataDirectory, RunFile } from '../data-directory.ts';
import { demoNames, demoSubjectAttributes, findDemoUser, makeDemoUser } from './demo-user.ts';
import { type Endpoints, urlOf } from './endpoints.ts';
import { type WantedAddress, wantedAddresses } from './ports.ts';
import { tryEst, tryStatus } from './try-this.ts';

export type GateName = 'est' | 'status';

export type Gate = {
  /** Name of the process, of its section in gatehouse.yaml, and of its RA. */
  readonly name: GateName;
  /** What its RA may ask for in a directory for trying out. One that may ask for nothing is the same everywhere. */
  readonly demoScope: Pick<RegistrationAuthority, 'profiles' | 'scope'>;
  /** Makes what belongs to a directory for trying out: users, secrets. */
  prepareDemo(data: DataDirectory): Promise<void>;
  /** Its part of endpoints.json. */
  endpoint(data: DataDirectory, running: RunFile): Promise<Pick<Endpoints, GateName>>;
  /** Commands for people to copy. */
  tryThis(data: DataDirectory, endpoints: Endpoints): string | undefined;
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
  prepareDemo: makeDemoUser,
  endpoint: async (data, running) => ({ est: { url: urlOf('https', running.address), ...(await findDemoUser(data)) } }),
  tryThis: (data, endpoints) => (endpoints.est === undefined ? undefined : tryEst(data, endpoints.est)),
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

const status: Gate = {
  name: 'status',
  demoScope: { profiles: [], scope: undefined },
  prepareDemo: () => Promise.resolve(),
  endpoint: (_data, running) => {
    const url = urlOf('http', running.address);
    return Promise.resolve({ status: { ocsp: `${url}/ocsp`, crl: `${url}/crl` } });
  },
  tryThis: (data, { status: endpoint, est: enrolled }) =>
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

/** All gates. */
export const gates: readonly Gate[] = [est, status];

/** The gates that `--only` names; all of them without it. Throws FatalError for a name that is none. */
export function chooseGates(only: readonly string[]): readonly Gate[] {
  const unknown = only.find((name) => name !== 'core' && !gates.some((gate) => gate.name === name));
  if (unknown !== undefined) {
    throw new FatalError(`there is no gate '${unknown}'`, {
      hint: `gates: ${gates.map(({ name }) => name).join(', ')}; '--only core' starts the core alone`,
    });
  }
  return only.length === 0 ? gates : gates.filter(({ name }) => only.includes(name));
}
