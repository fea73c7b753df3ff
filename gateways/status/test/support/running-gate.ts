// The whole gate, wired as in main.ts, in the process of a test.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPlainGate } from '@gatehouse/gateway-kit/plain-gate-process';
import { saveCredential } from '@gatehouse/ra-client/credential';
import { silentLog } from '@gatehouse/ra-client/testing/test-core';
import { statusSchema } from '../../src/config.ts';
import { startStatus } from '../../src/main.ts';
import { type HttpAnswer, type HttpRequest, sendTo } from './http.ts';
import { service } from './publisher.ts';

/** A gate that runs. */
export type RunningGate = {
  send(path: string, request?: HttpRequest): Promise<HttpAnswer>;
  readiness(): Promise<Readiness>;
  /** Value of a metric without labels, or with them as they are written. */
  metric(name: string): Promise<number>;
  stop(): Promise<void>;
};

/** What /readyz says. */
export type Readiness = { readonly code: number; readonly status: string; readonly problems: readonly string[] };

/** Starts a gate in a directory. @param core `host:port` */
export async function startGate(
  directory: string,
  core: string,
  keys: Readonly<Record<string, unknown>> = {},
): Promise<RunningGate> {
  saveCredential(join(directory, 'credential.pem'), service.credential('ra/status'));
  const configuration = statusSchema.parse({
    listen: { port: 0 },
    core: { addresses: [core], credential: 'credential.pem' },
    ...keys,
  });
  const stops: (() => void | Promise<void>)[] = [];
  const life = { onShutdown: (_: string, stop: () => void | Promise<void>) => void stops.push(stop) };
  const gate = await createPlainGate({ name: 'status', configuration, directory, log: silentLog, life });
  const { port } = await startStatus(gate);
  const { management } = JSON.parse(readFileSync(join(directory, 'run/status.json'), 'utf8'));
  return {
    send: (path, request) => sendTo(port, path, request),
    readiness: async () => {
      const response = await fetch(`http://${management}/readyz`);
      const { status, problems = [] } = (await response.json()) as {
        status: string;
        problems?: { check: string; detail: string }[];
      };
      return { code: response.status, status, problems: problems.map(({ check, detail }) => `${check}: ${detail}`) };
    },
    metric: async (name) => {
      const text = await (await fetch(`http://${management}/metrics`)).text();
      const line = text.split('\n').find((one) => one.startsWith(`gatehouse_${name} `));
      return Number(line?.split(' ').at(-1));
    },
    stop: async () => {
      for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop();
    },
  };
}

/** Waits until something holds; each look is a request, so that nothing is waited for by time. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}

/** A directory for a gate. */
export function makeDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'gatehouse-status-'));
  return { path, remove: () => rmSync(path, { recursive: true }) };
}
