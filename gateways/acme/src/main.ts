// Starts the ACME gate: configuration → state → profiles → perspectives → workers → listener. Wiring only.

import { isIP } from 'node:net';
import { join } from 'node:path';
import { type Gate, runGate } from '@gatehouse/gateway-kit/gate-process';
import { createGateRateLimits } from '@gatehouse/gateway-kit/rate-limit';
import {
  createPerspective,
  type LocalPerspective,
  type PerspectiveOptions,
} from '@gatehouse/gateway-perspective/perspective';
import { connectPerspective } from '@gatehouse/ra-client/perspective';
import type { StateStore } from '@gatehouse/runtime/database/state-store';
import { newUnguessableId } from '@gatehouse/runtime/identifiers';
import type { ListenAddress } from '@gatehouse/runtime/listen';
import { createAccountKeys } from './account-keys.ts';
import { problemRefusal } from './answer.ts';
import { createCertificateParts } from './certificate-parts.ts';
import { startCollector } from './collector.ts';
import { type AcmeConfiguration, acmeSchema, baseUrls } from './config.ts';
import type { AcmeGate } from './gate.ts';
import { startIssuance } from './issuance-job.ts';
import { createNonces } from './nonce.ts';
import { type Checks, createChecks } from './perspectives/checks.ts';
import { createPerspectiveRegistry } from './perspectives/registry.ts';
import { createValidation } from './perspectives/validation.ts';
import { type AcmeProfiles, createProfiles } from './profiles.ts';
import { createRateLimits } from './rate-limits.ts';
import { createApp } from './server.ts';
import { endLeftLeases } from './state/left-leases.ts';
import { openAcmeState } from './state/open.ts';
import { sharedSecret } from './state/secrets.ts';
import { type AcmeUrlsOptions, createUrls } from './urls.ts';
import { startValidation } from './validation-job.ts';

/** Where the gate's configuration is. */
export type RunAcmeOptions = {
  /** The data directory: the folder of gatehouse.yaml. */
  readonly directory: string;
  /** `--set` arguments. */
  readonly set?: readonly string[] | undefined;
};

/** What test suites of clients need otherwise than any CA would have it. No configuration leads here. */
export type AcmeSeams = Pick<AcmeUrlsOptions, 'spelling' | 'reflectsOrigin'> & {
  /** Makes the perspective inside of the gate. */
  readonly createPrimary?: ((options: PerspectiveOptions) => LocalPerspective) | undefined;
  /** Refuses a good nonce now and then. */
  readonly refusesNonce?: (() => boolean) | undefined;
  /** Whether a new order may stand on authorizations that are valid already. */
  readonly reusesAuthorizations?: (() => boolean) | undefined;
  /** Renewal information by certID, as it is. */
  readonly dictatedInformation?: ((certId: string) => string | undefined) | undefined;
};

/** Runs the gate until it is told to stop. */
export async function runAcme({ directory, set }: RunAcmeOptions): Promise<void> {
  await runGate({
    name: 'acme',
    schema: acmeSchema,
    file: join(directory, 'gatehouse.yaml'),
    set,
    start: async (process) => {
      await startAcme(process);
    },
  });
}

/** Brings the gate up inside a process that runs already. @returns where it listens */
export async function startAcme(process: Gate<AcmeConfiguration>, seams: AcmeSeams = {}): Promise<ListenAddress> {
  const { configuration, clock, core, log, metrics } = process;
  const store = await openAcmeState({
    database: configuration.database,
    directory: process.directory,
    resolvePath: (path) => process.resolvePath(path),
    log,
    clock,
  });
  process.onShutdown('state', () => store.close());
  await endLeftLeases(store);
  process.addReadinessCheck(() =>
    store.isHealthy() ? [] : [{ check: 'database', detail: 'the database cannot be reached' }],
  );
  const profiles = createProfiles({ configuration, core, log, reusesAuthorizations: seams.reusesAuthorizations });
  process.onShutdown('profiles', () => profiles.close());
  process.addReadinessCheck(() => profiles.readiness());
  await profiles.refresh();
  const validation = createValidation({
    checks: await openChecks(process, { store, profiles, seams }),
    store,
    profiles,
    clock,
    orderLifeMs: configuration.orderLife,
  });
  process.onShutdown('validation', () => validation.close());
  process.addReadinessCheck(() => validation.readiness());

  const { spelling, reflectsOrigin, refusesNonce } = seams;
  const parts: Omit<AcmeGate, 'jobs' | 'urls'> = {
    configuration,
    store,
    core,
    registrationAuthority: process.registrationAuthority,
    clock,
    log,
    metrics,
    nonces: createNonces({ secret: await sharedSecret(store, 'nonces', clock), clock, refuses: refusesNonce }),
    accountKeys: createAccountKeys(),
    profiles,
    certificates: createCertificateParts({
      store,
      core,
      clock,
      alternateChains: configuration.alternateChains.map((path) => process.resolvePath(path)),
      defaultChain:
        configuration.defaultChain === undefined ? undefined : process.resolvePath(configuration.defaultChain),
      dictatedInformation: seams.dictatedInformation,
    }),
    rates: createRateLimits({
      settings: configuration.rates,
      isEnabled: configuration.rates.enabled ?? !isLoopback(configuration.listen.host),
      store,
      clock,
    }),
    validation,
    worker: newUnguessableId(),
  };
  const validating = startValidation(parts);
  process.onShutdown('validations', () => validating.close());
  const issuing = startIssuance(parts);
  process.onShutdown('issuance', () => issuing.close());

  const collector = startCollector({ store, clock, log });
  process.onShutdown('collector', () => collector.close());

  // The port may be the system's choice, which is known when it is listened on; nobody asks before.
  let urls = createUrls({ bases: baseUrls(configuration, configuration.listen.port), spelling, reflectsOrigin });
  const gate: AcmeGate = {
    ...parts,
    get urls() {
      return urls;
    },
    jobs: {
      wakeValidation: (id, accountId) => validating.wake(id, accountId),
      wakeIssuance: (id, accountId) => issuing.wake(id, accountId),
    },
  };
  const answers = metrics.counter({
    name: 'acme_answers_total',
    help: 'Answers by resource and status.',
    labels: ['resource', 'status'],
  });
  const problems = metrics.counter({ name: 'acme_problems_total', help: 'Refusals by type.', labels: ['type'] });
  const server = await process.serve(
    createApp({
      gate,
      limits: createGateRateLimits(configuration.limits, clock),
      count: (resource, status) => answers.labels(resource, String(status)).inc(),
      countProblem: (type) => problems.labels(type).inc(),
      readPath: spelling?.read,
    }),
    problemRefusal,
  );
  urls = createUrls({ bases: baseUrls(configuration, server.address.port), spelling, reflectsOrigin });
  log.info({ directory: urls.directory(urls.canonical) }, 'the directory is at');
  return server.address;
}

type ChecksParts = {
  readonly store: StateStore;
  readonly profiles: Pick<AcmeProfiles, 'issuerDomainNames'>;
  readonly seams: AcmeSeams;
};

async function openChecks(process: Gate<AcmeConfiguration>, { store, profiles, seams }: ChecksParts): Promise<Checks> {
  const { configuration, clock, core, credential, log, metrics } = process;
  const settings = configuration.validation;
  const primary = (seams.createPrimary ?? createPerspective)({
    holder: credential.current().party,
    address: '',
    validation: {
      ...settings,
      get issuerDomainNames() {
        return settings.issuerDomainNames.length > 0 ? settings.issuerDomainNames : [...profiles.issuerDomainNames];
      },
    },
    keyFile: process.resolvePath(configuration.signingKey),
    core: core.validation,
    clock,
    log,
    metrics,
  });
  // At once: it asks the keep from now on, and must not when that is no more.
  process.onShutdown('perspective', () => primary.close());
  process.addReadinessCheck(() => primary.problems());
  const registry = createPerspectiveRegistry({
    listPerspectives: () => core.validation.listPerspectives(),
    connect: (name, address) => connectPerspective({ address, name, credential, log }),
    clock,
    log,
  });
  return createChecks({
    primary,
    registry,
    secret: await sharedSecret(store, 'perspectives', clock),
    clock,
    log,
    metrics,
  });
}

/** Whether nobody but this machine reaches an address. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
