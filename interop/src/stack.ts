// A stack of its own for one run: started by the command that people use, in a directory that is thrown away, on ports
// that the system chooses. Where things are is read from endpoints.json and from nowhere else.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ChallengeServer, startChallengeServer } from './acme/challenge-server.ts';
import { type Manufacturers, makeManufacturers } from './coap/manufacturer.ts';
import { CommandError, lastLines, output } from './command.ts';
import { type Endpoints, readEndpoints } from './endpoints.ts';
import {
  approvalLabel,
  approvalProfile,
  coapLabels,
  coapOperationLabels,
  digestUser,
  labels,
  liveStatus,
  shardedStatus,
  sharedKey,
} from './stack-configuration.ts';

/** A user of the EST gate with its password. */
export type Account = { readonly username: string; readonly password: string };

/** A running stack. */
export type Stack = {
  readonly endpoints: Endpoints;
  /** The user that up made for trying out: Basic, every label. */
  readonly demoUser: Account;
  /** A user that may come with HTTP Digest, RFC 7616. */
  readonly digestUser: Account;
  /** The world in which its ACME gate validates names, where it has one. */
  readonly challenges?: ChallengeServer | undefined;
  /** Whose devices its CoAP gate knows, where it has one. */
  readonly manufacturers?: Manufacturers | undefined;
  /** Runs an operator's command, which must succeed, and gives what it printed as JSON. @throws {CommandError} */
  operator(...parameters: readonly string[]): Promise<unknown>;
  /** Stops all processes and removes the directory. @throws {CommandError} when they do not end in good order */
  stop(): Promise<void>;
  /** What the stack wrote on standard error, and the ends of its logs: for whoever looks for a failure. */
  explain(): string;
};

const command = fileURLToPath(new URL('../../cli/bin/gatehouse.js', import.meta.url));
/** First start included, on a machine that is busy with other things. */
const readyTimeoutMs = 120_000;

/** What kind of stack an operation needs. */
export type StackKind = 'common' | 'approving' | 'acme' | 'coap';

/**
 * Starts a stack. The common one is started twice: the first start makes keys and configuration as for everybody, the
 * operator then adds a user, and the second start finds all of it and opens the labels that the clients need.
 *
 * @throws {CommandError} when it does not start
 */
export async function startStack(kind: StackKind): Promise<Stack> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-interop-'));
  const challenges = kind === 'acme' ? await startChallengeServer() : undefined;
  const remove = async () => {
    await challenges?.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    writeProfiles(join(directory, 'profiles'));
    if (kind === 'common') {
      await (await startUp(directory, gatesOf(kind), [])).stop();
      await addDigestUser(directory);
    }
    if (kind === 'common' || kind === 'coap') writeSharedKey(directory);
    const manufacturers =
      kind === 'coap' ? await makeManufacturers(join(directory, 'manufacturers'), coapOperationLabels) : undefined;
    const up = await startUp(directory, gatesOf(kind), settings(kind, { challenges, manufacturers }));
    const endpoints = readEndpoints(directory);
    const { username, password } = endpoints.est;
    return {
      endpoints,
      demoUser: { username, password },
      digestUser,
      challenges,
      manufacturers,
      operator: (...parameters) => operate(directory, parameters),
      stop: async () => {
        await up.stop();
        await remove();
      },
      explain: () => [up.said(), ...['core', ...gatesOf(kind)].map((name) => endOfLog(directory, name))].join('\n'),
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

function gatesOf(kind: StackKind): readonly string[] {
  return kind === 'acme' || kind === 'coap' ? ['est', 'status', kind] : ['est', 'status'];
}

/** What stands around a stack. */
type Surroundings = Pick<Stack, 'challenges' | 'manufacturers'>;

function settings(kind: StackKind, { challenges, manufacturers }: Surroundings): readonly string[] {
  const chosen =
    challenges !== undefined
      ? acmeSettings(challenges)
      : manufacturers !== undefined
        ? coapSettings(manufacturers)
        : kind === 'approving'
          ? approvingSettings()
          : commonSettings();
  return chosen.flatMap((setting) => ['--set', setting]);
}

function acmeSettings({ httpPort, tlsPort, resolver }: ChallengeServer): readonly string[] {
  return [
    `acme.validation.httpPort=${httpPort}`,
    `acme.validation.tlsPort=${tlsPort}`,
    `acme.validation.resolver=${resolver}`,
  ];
}

function approvingSettings(): readonly string[] {
  return [`est.defaultLabel=${approvalLabel}`, ...liveStatus];
}

function commonSettings(): readonly string[] {
  return [...shardedStatus, ...labelSettings(labels), sharedKeySetting()];
}

/** The policy of EST is that of CoAP too. */
function coapSettings({ trustAnchors }: Manufacturers): readonly string[] {
  return [
    ...labelSettings(coapLabels),
    'est.defaultLabel=device-identity',
    `est.trustAnchors=${JSON.stringify(trustAnchors)}`,
    sharedKeySetting(),
  ];
}

function labelSettings(table: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(table).map(([name, label]) => `est.labels."${name}"=${JSON.stringify(label)}`);
}

function sharedKeySetting(): string {
  const { id, file } = sharedKey;
  return `est.keyEncryption.keys=${JSON.stringify([{ id, file }])}`;
}

function writeSharedKey(directory: string): void {
  const file = join(directory, sharedKey.file);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, sharedKey.key, { mode: 0o600 });
}

function writeProfiles(directory: string): void {
  mkdirSync(directory, { mode: 0o700 });
  writeFileSync(join(directory, `${approvalProfile.name}.yaml`), approvalProfile.text);
}

async function addDigestUser(directory: string): Promise<void> {
  const { username, password } = digestUser;
  const parameters = ['est', 'user', 'add', username, '--digest', '--dns', 'example.com', '--password-file', '-'];
  await output(process.execPath, [command, ...parameters, '--data', directory], { input: `${password}\n` });
}

async function operate(directory: string, parameters: readonly string[]): Promise<unknown> {
  const text = await output(process.execPath, [command, ...parameters, '--json', '--data', directory]);
  return JSON.parse(text.toString('utf8'));
}

type Up = { stop(): Promise<void>; said(): string };

async function startUp(directory: string, gates: readonly string[], parameters: readonly string[]): Promise<Up> {
  const child = spawn(
    process.execPath,
    [command, 'up', '--data', directory, '--ports', 'auto', '--only', gates.join(','), ...parameters],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (status, signal) => resolve(signal ?? `status ${status}`));
  });
  await Promise.race([
    printed(child, 'ready'),
    ended.then((how) => {
      throw new CommandError(`gatehouse up ended with ${how}: ${lastLines(said)}`);
    }),
  ]);
  return {
    said: () => said,
    stop: async () => {
      child.kill('SIGTERM');
      const how = await ended;
      if (how !== 'status 0') throw new CommandError(`gatehouse up ended with ${how}: ${lastLines(said)}`);
    },
  };
}

/** Resolves when a line that is `word` comes on standard output; kills the process when it does not come in time. */
function printed(child: ChildProcess, word: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const patience = setTimeout(() => {
    child.kill('SIGKILL');
    reject(new CommandError(`gatehouse up did not print '${word}' within ${readyTimeoutMs / 1000} s`));
  }, readyTimeoutMs);
  child.once('exit', () => clearTimeout(patience));
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
    if (!text.split('\n').includes(word)) return;
    clearTimeout(patience);
    resolve();
  });
  return promise;
}

function endOfLog(directory: string, name: string): string {
  try {
    const lines = readFileSync(join(directory, 'log', `${name}.log`), 'utf8')
      .trimEnd()
      .split('\n');
    return lines
      .slice(-20)
      .map((line) => `${name}: ${line}`)
      .join('\n');
  } catch {
    return `${name}: no log`;
  }
}
