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
import { createSteps, type MadeOrder, orderOf } from './orders.ts';
import { pollUntil } from './poll.ts';
import type { WebServer } from './responders.ts';

const command = join(import.meta.dirname, '../../../../cli/bin/gatehouse.js');

/** Several processes start at once, beside whatever else the machine does. */
const startPatienceMs = 60_000;

/** The keep behind the copies, and the folder with the credential of their RA. */
export type BehindCopies = Pick<TestCore, 'directory' | 'address' | 'trustAnchor'>;

/** What a copy is made with. */
export type CopyOptions = {
  readonly core: BehindCopies;
  /** `postgres://…` */
  readonly database: string;
  /** Keys of the section `acme`; its base URLs too. */
  readonly acme: Readonly<Record<string, unknown>>;
  readonly port: number;
};

/** A copy that runs. */
export type Copy = {
  /** `https://127.0.0.1:port`. */
  readonly url: string;
  /** What it logged so far. */
  log(): string;
  /** Ends it at once. */
  kill(): Promise<void>;
  stop(): Promise<void>;
};

/** Starts a copy in a folder of its own. */
export async function startCopy({ core, database, acme, port }: CopyOptions): Promise<Copy> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-acme-copy-'));
  for (const name of ['ra/acme', 'secrets', 'run']) mkdirSync(join(directory, name), { recursive: true });
  copyFileSync(join(core.directory, 'ra/acme/credential.pem'), join(directory, 'ra/acme/credential.pem'));
  writeFileSync(join(directory, 'secrets/database'), database, { mode: 0o600 });
  const section = {
    ...acme,
    listen: { port },
    core: { addresses: [core.address], credential: 'ra/acme/credential.pem' },
    database: { postgres: { file: 'secrets/database' } },
  };
  // JSON is YAML.
  writeFileSync(join(directory, 'gatehouse.yaml'), JSON.stringify({ acme: section }));
  const child = spawn(process.execPath, [command, 'run', 'acme', '--data', directory], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let logged = '';
  child.stderr.on('data', (chunk: Buffer) => {
    logged += chunk.toString();
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  const stop = async (): Promise<void> => {
    await end('SIGTERM');
    rmSync(directory, { recursive: true, force: true });
  };
  const url = `https://127.0.0.1:${port}`;
  try {
    await untilAnswers(child, url, core.trustAnchor);
  } catch (error) {
    await stop();
    throw new Error(`a copy of the gate did not start: ${logged}`, { cause: error });
  }
  return { url, log: () => logged, kill: () => end('SIGKILL'), stop };
}

/** Starts several at the same time, each an alias of the others. */
export async function startCopies(count: number, options: Omit<CopyOptions, 'port'>): Promise<readonly Copy[]> {
  const ports = await Promise.all(Array.from({ length: count }, freePort));
  const [baseUrl = '', ...aliases] = ports.map((port) => `https://127.0.0.1:${port}`);
  const acme = { ...options.acme, baseUrl, aliases };
  return await Promise.all(ports.map((port) => startCopy({ ...options, acme, port })));
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
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

/** An order of one name below `localhost`, ready to be finalized: nobody has to be asked where that is. */
export async function makeReady(
  { client, web }: { readonly client: WanderingClient; readonly web: WebServer },
  account: Signer,
  name: string,
): Promise<MadeOrder> {
  const made = await createSteps(client).order(account, [name]);
  for (const url of made.json.authorizations) {
    const { challenges } = (await client.post(url, undefined, account)).json();
    const challenge = Array.isArray(challenges) ? challenges.find(({ type }) => type === 'http-01') : undefined;
    const { url: challengeUrl, token } = challenge ?? {};
    web.set(token, `${token}.${account.public.thumbprint}`);
    await client.post(challengeUrl, {}, account);
  }
  const json = await pollUntil(async () => {
    const order = orderOf(await client.post(made.url, undefined, account));
    return order.status === 'pending' ? undefined : order;
  });
  if (json.status !== 'ready') throw new Error(`the order is not ready: ${JSON.stringify(json)}`);
  return { url: made.url, json };
}

async function untilAnswers(child: ChildProcess, url: string, trustAnchor: string): Promise<void> {
  const client = new AcmeClient({ directory: `${url}/directory`, trustAnchor });
  try {
    await pollUntil(async () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      return await client.directory().catch(() => undefined);
    }, startPatienceMs);
  } finally {
    client.close();
  }
}
