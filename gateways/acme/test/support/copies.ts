// Copies of the gate as they run in earnest: processes of their own, each with its folder and its address, one PostgreSQL
// between them and one keep behind them.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AcmeClient, type Changes, type HttpAnswer, type Signer } from './client.ts';
import type { TestCore } from './core.ts';
import { pollUntil } from './poll.ts';

const command = join(import.meta.dirname, '../../../../cli/bin/gatehouse.js');

/** What the copies are made with. */
export type CopiesOptions = {
  readonly core: TestCore;
  /** `postgres://…` */
  readonly database: string;
  /** Keys of the section `acme`. */
  readonly acme: Readonly<Record<string, unknown>>;
  readonly count: number;
};

/** Copies that run. */
export type Copies = {
  /** `https://127.0.0.1:port` of each. */
  readonly urls: readonly string[];
  /** Ends a copy at once. */
  kill(index: number): Promise<void>;
  /** What they logged so far. */
  log(): string;
  stop(): Promise<void>;
};

/** Starts them at the same time; call `stop` at the end. */
export async function startCopies({ core, database, acme, count }: CopiesOptions): Promise<Copies> {
  const ports = await Promise.all(Array.from({ length: count }, freePort));
  const [baseUrl = '', ...aliases] = ports.map((port) => `https://127.0.0.1:${port}`);
  const urls = [baseUrl, ...aliases];
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-acme-copies-'));
  let errors = '';
  const children = ports.map((port, index) => {
    const directory = join(folder, `copy-${index}`);
    for (const name of ['ra/acme', 'secrets', 'run']) mkdirSync(join(directory, name), { recursive: true });
    copyFileSync(join(core.directory, 'ra/acme/credential.pem'), join(directory, 'ra/acme/credential.pem'));
    writeFileSync(join(directory, 'secrets/database'), database, { mode: 0o600 });
    const section = {
      ...acme,
      listen: { port },
      baseUrl,
      aliases,
      core: { addresses: [core.address], credential: 'ra/acme/credential.pem' },
      database: { postgres: { file: 'secrets/database' } },
    };
    // JSON is YAML.
    writeFileSync(join(directory, 'gatehouse.yaml'), JSON.stringify({ acme: section }));
    const child = spawn(process.execPath, [command, 'run', 'acme', '--data', directory], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    return child;
  });
  const end = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => end(child, 'SIGTERM')));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(children.map((child, index) => untilAnswers(child, urls[index] ?? '', core.trustAnchor)));
  } catch (error) {
    await stop();
    throw new Error(`a copy of the gate did not start: ${errors}`, { cause: error });
  }
  return {
    urls,
    kill: async (index) => {
      const child = children[index];
      if (child !== undefined) await end(child, 'SIGKILL');
    },
    log: () => errors,
    stop,
  };
}

/** A client that asks another copy each time. */
export class WanderingClient extends AcmeClient {
  readonly #urls: readonly string[];

  constructor(urls: readonly string[], trustAnchor: string) {
    super({ directory: `${urls[0]}/directory`, trustAnchor });
    this.#urls = urls;
  }

  override async post(url: string, payload: unknown, signer: Signer, changes: Changes = {}): Promise<HttpAnswer> {
    return await super.post(this.at(Math.floor(Math.random() * this.#urls.length), url), payload, signer, changes);
  }

  /** The same resource at one of the copies. */
  at(index: number, url: string): string {
    const { pathname } = new URL(url);
    return `${this.#urls[index % this.#urls.length]}${pathname}`;
  }

  /** Asks one of the copies. */
  async postAt(
    index: number,
    url: string,
    payload: unknown,
    signer: Signer,
    changes: Changes = {},
  ): Promise<HttpAnswer> {
    return await super.post(this.at(index, url), payload, signer, changes);
  }
}

async function untilAnswers(child: ChildProcess, url: string, trustAnchor: string): Promise<void> {
  const client = new AcmeClient({ directory: `${url}/directory`, trustAnchor });
  try {
    await pollUntil(async () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      return await client.directory().catch(() => undefined);
    });
  } finally {
    client.close();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
