// A keep and this gate as `gatehouse up` runs them, in a throw-away directory with random ports; endpoints.json is the
// only way in. The directory is made with the demo's names widened, since the tests are about the gate's own rules.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type CoreClient, connectCore } from '@gatehouse/ra-client/client';
import { loadCredential } from '@gatehouse/ra-client/credential';
import { holdCredential } from '@gatehouse/ra-client/credential-source';
import { joinWithToken } from '@gatehouse/ra-client/join';
import { createLog } from '@gatehouse/runtime/log';
import { stringify } from 'yaml';
import { addUser, type NewUser } from '../../src/users-file.ts';

/** The command as the root of the repository installs it; a gate's code imports nothing of the command line. */
const command = join(import.meta.dirname, '../../../../cli/bin/gatehouse.js');
const log = createLog({ name: 'test', level: 'silent' });

/** What a stack is made of. */
export type StackOptions = {
  /** Keys of the section `est`, beside what every stack has. */
  readonly est: Readonly<Record<string, unknown>>;
  /** Text of profiles by name. */
  readonly profiles: Readonly<Record<string, string>>;
  readonly users: readonly NewUser[];
  /** Further files by path in the directory. */
  readonly files?: Readonly<Record<string, string>>;
  /** PEM files with anchors that the core verifies evidence by. */
  readonly evidenceAnchors?: readonly string[];
};

/** A running stack. */
export type Stack = {
  readonly directory: string;
  /** Without a path. */
  readonly url: string;
  /** PEM of the root. */
  readonly trustAnchor: string;
  /** The keep, as its operator. */
  readonly operator: CoreClient;
  /** The gate's log so far. */
  gateLog(): string;
  stop(): Promise<void>;
};

const builtinProfiles = ['tls-server', 'tls-client', 'tls-server-client', 'device-identity', 'gateway-tls'];

/** Starts a stack; call `stop` at the end. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-est-'));
  await runToEnd(['init', '--data', directory]);
  await writeFiles(directory, options);

  const core = await up(directory, 'core');
  await registerGate(directory, core.coreAddress, [...builtinProfiles, ...Object.keys(options.profiles)]);
  await core.stop();

  const suite = await up(directory, 'est');
  const operator = connectOperator(directory, suite.coreAddress);
  return {
    directory,
    url: suite.estUrl,
    trustAnchor: readFileSync(join(directory, suite.trustAnchor), 'utf8'),
    operator,
    gateLog: () => readFileSync(join(directory, 'log/est.log'), 'utf8'),
    stop: async () => {
      await operator.close();
      await suite.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function writeFiles(directory: string, { est, profiles, users, files = {}, evidenceAnchors = [] }: StackOptions) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    // Some of them are secrets, which the gate takes from files of its owner alone.
    writeFileSync(join(directory, path), text, { mode: 0o600 });
  }
  for (const [name, text] of Object.entries(profiles)) writeFileSync(join(directory, `profiles/${name}.yaml`), text);
  for (const user of users) await addUser(join(directory, 'est/users.yaml'), { hash: 'scrypt', ...user });
  const configuration = {
    core: { evidence: { anchors: evidenceAnchors } },
    est: { core: { credential: 'ra/est/credential.pem' }, users: 'est/users.yaml', ...est },
  };
  writeFileSync(join(directory, 'gatehouse.yaml'), stringify(configuration));
}

async function registerGate(directory: string, address: string, profiles: readonly string[]): Promise<void> {
  const operator = connectOperator(directory, address);
  const everything = ['*'];
  const { token } = await operator.administration.addRegistrationAuthority({
    registrationAuthority: {
      name: 'est',
      profiles: [...profiles],
      scope: {
        dnsSuffixes: everything,
        ipRanges: everything,
        uriPrefixes: everything,
        emailDomains: everything,
        subjectAttributes: ['CN', 'serialNumber', 'O', 'OU', 'C'].map((type) => `${type}=*`),
      },
      maximumValidity: undefined,
      ratePerSecond: 0,
      isDisabled: false,
      createdAt: undefined,
      credentialExpiresAt: undefined,
    },
    tokenLife: undefined,
  });
  const file = join(directory, 'ra/est/credential.pem');
  mkdirSync(dirname(file), { recursive: true });
  await joinWithToken({ token, file, log, addresses: [address] });
  await operator.close();
}

function connectOperator(directory: string, address: string): CoreClient {
  const credential = holdCredential(loadCredential(join(directory, 'operators/admin.pem')));
  return connectCore({ addresses: [address], credential, log });
}

async function runToEnd(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const errors = collect(child);
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`gatehouse ${args.join(' ')} ended with ${code}: ${errors()}`);
}

async function up(directory: string, only: string) {
  const child = spawn(process.execPath, [command, 'up', '--data', directory, '--only', only, '--ports', 'auto'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const errors = collect(child);
  const exit = once(child, 'exit');
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.trim() === 'ready') resolve();
  });
  const ended = exit.then(([code]) => {
    throw new Error(`gatehouse up ended with ${code}: ${errors()}`);
  });
  await Promise.race([ready, ended]);
  ended.catch(() => undefined);
  const endpoints = JSON.parse(readFileSync(join(directory, 'endpoints.json'), 'utf8'));
  return {
    coreAddress: String(endpoints.core.address),
    estUrl: String(endpoints.est?.url),
    trustAnchor: String(endpoints.trustAnchor),
    stop: async () => {
      child.kill('SIGTERM');
      await exit;
    },
  };
}

function collect(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return () => text;
}
