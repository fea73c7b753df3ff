// A remote perspective as it runs alone, with a registry that the test decides on.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { perspectiveSchema } from '@gatehouse/gateway-perspective/config';
import { startPerspective } from '@gatehouse/gateway-perspective/main';
import { type Credential, saveCredential } from '@gatehouse/ra-client/credential';
import { holdCredential } from '@gatehouse/ra-client/credential-source';
import { connectPerspective, type PerspectiveClient } from '@gatehouse/ra-client/perspective';
import { createServiceAuthority, silentLog, startTestCore } from '@gatehouse/ra-client/testing/test-core';
import { systemClock } from '@gatehouse/runtime/clock';
import { formatAddress } from '@gatehouse/runtime/run-file';
import type { z } from 'zod';
import { createRegistryDouble, type RegistryDouble, registryAnswers } from './registry-double.ts';
import { readRunFile } from './run-file.ts';

/** The internal service CA of the tests. */
export const service = createServiceAuthority();

/** What a test may say about the perspective `dublin`. */
export type RunningOptions = {
  /** The section of gatehouse.yaml. */
  readonly section?: Partial<z.input<typeof perspectiveSchema>>;
  /** Its credential. */
  readonly credential?: Credential;
};

/** A perspective that runs. */
export type RunningPerspective = {
  readonly address: string;
  readonly directory: string;
  readonly registry: RegistryDouble;
  /** Asks as the party with this path: `ra/acme`. */
  as(path: string): PerspectiveClient;
  /** Ends it as SIGTERM does. */
  stop(): Promise<void>;
  /** Of the management listener. */
  readiness(): Promise<{ readonly code: number; readonly problems: readonly { check: string; detail: string }[] }>;
};

/** Runs the perspective `dublin` for as long as `body` takes. */
export async function withPerspective(
  options: RunningOptions,
  body: (running: RunningPerspective) => Promise<void>,
): Promise<void> {
  const registry = createRegistryDouble('dublin', systemClock);
  const core = await startTestCore(service, registryAnswers(registry));
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-perspective-'));
  const clients: PerspectiveClient[] = [];
  const stops: (() => void | Promise<void>)[] = [];
  const stopAll = async (): Promise<void> => {
    for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop();
  };
  try {
    saveCredential(join(directory, 'credential.pem'), options.credential ?? service.credential('perspective/dublin'));
    const configuration = perspectiveSchema.parse({
      name: 'dublin',
      listen: { port: 0 },
      core: { addresses: [core.address], credential: 'credential.pem' },
      signingKey: 'signing-key.json',
      ...options.section,
    });
    const listening = await startPerspective({
      name: 'perspective-dublin',
      section: 'perspective',
      configuration,
      directory,
      log: silentLog,
      life: { onShutdown: (_name, stop) => void stops.push(stop) },
    });
    const address = formatAddress(listening);
    const as = (path: string): PerspectiveClient => {
      const credential = holdCredential(service.credential(path));
      const client = connectPerspective({ address, name: 'dublin', credential, log: silentLog });
      clients.push(client);
      return client;
    };
    await body({ address, directory, registry, as, stop: stopAll, readiness: () => readReadiness(directory) });
  } finally {
    await stopAll();
    for (const client of clients) await client.close();
    core.stop();
    rmSync(directory, { recursive: true });
  }
}

async function readReadiness(directory: string) {
  const response = await fetch(`http://${readRunFile(directory, 'perspective-dublin').management}/readyz`);
  const { problems = [] } = (await response.json()) as { problems?: { check: string; detail: string }[] };
  return { code: response.status, problems };
}
