// A keep as `gatehouse up` runs it and this gate as a process of its own beside it, in a throw-away directory with random
// ports: either can be stopped, killed and started again while the other goes on.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { decodePem } from '@gatehouse/pkix/pem';
import { type CoreClient, connectCore } from '@gatehouse/ra-client/client';
import { loadCredential } from '@gatehouse/ra-client/credential';
import { holdCredential } from '@gatehouse/ra-client/credential-source';
import { joinWithToken } from '@gatehouse/ra-client/join';
import { createLog } from '@gatehouse/runtime/log';

/** The command as the root of the repository installs it; a gate's code imports nothing of the command line. */
const command = join(import.meta.dirname, '../../../../cli/bin/gatehouse.js');
const gateProgram = join(import.meta.dirname, 'run-gate.ts');
const log = createLog({ name: 'test', level: 'silent' });
const longestWaitMs = 30_000;

/** What a stack is made of. */
export type StackOptions = {
  /** Keys of the section `est`: the policy. */
  readonly est: Readonly<Record<string, unknown>>;
  /** Keys of the section `coap`, beside what every stack has. */
  readonly coap?: Readonly<Record<string, unknown>>;
  /** Text of profiles by name. */
  readonly profiles: Readonly<Record<string, string>>;
  /** Further files by path in the directory. */
  readonly files?: Readonly<Record<string, string>>;
  /** PEM files with anchors that the core verifies evidence by. */
  readonly evidenceAnchors?: readonly string[];
};

/** One process. */
export type Process = {
  /** Lines of its log so far, parsed. */
  readonly lines: readonly LogLine[];
  /** The first line, past or to come, that fits. */
  line(fits: (line: LogLine) => boolean): Promise<LogLine>;
  /** Ends it with a signal and waits for its end. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Sends a signal and waits for nothing. */
  signal(signal: NodeJS.Signals): void;
};

/** A line of a log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** A running stack. */
export type Stack = {
  readonly directory: string;
  readonly trustAnchor: Uint8Array;
  /** The keep, as its operator. */
  readonly operator: CoreClient;
  readonly gate: GateProcess;
  /** Starts the gate anew, on the same port; the old one must have ended. @param coap keys of its section, this time */
  startGate(coap?: Readonly<Record<string, unknown>>): Promise<GateProcess>;
  /** The keep's process: it can be stopped, and stand still (SIGSTOP) and go on (SIGCONT). */
  readonly core: Process;
  /** Starts the keep anew; the old one must have ended. */
  startCore(): Promise<void>;
  stop(): Promise<void>;
};

/** The gate's process. */
export type GateProcess = Process & { readonly port: number; readonly management: string };

const builtinProfiles = ['tls-client', 'device-identity', 'gateway-tls'];

/** Starts a stack; call `stop` at the end. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-coap-'));
  await runToEnd(['init', '--data', directory]);
  const { profiles, files = {}, evidenceAnchors = [] } = options;
  for (const [path, text] of Object.entries(files)) writePrivately(join(directory, path), text);
  for (const [name, text] of Object.entries(profiles)) writePrivately(join(directory, `profiles/${name}.yaml`), text);
  const configure = (sections: Readonly<Record<string, unknown>>): void =>
    // JSON is YAML.
    writePrivately(join(directory, 'gatehouse.yaml'), JSON.stringify({ est: options.est, ...sections }));
  configure({ core: { evidence: { anchors: evidenceAnchors } } });
  const made = await makeKeep(directory);
  const [host = '', port = ''] = made.address.split(':');
  const coreSection = {
    listen: { host, port: Number(port) },
    management: { port: 0 },
    evidence: { anchors: evidenceAnchors },
  };
  configure({ core: coreSection });

  const runCore = async (): Promise<Process> => {
    const child = track(
      spawn(process.execPath, [command, 'run', 'core', '--data', directory], { stdio: ['ignore', 'ignore', 'pipe'] }),
    );
    await child.line(({ msg }) => msg === 'core listens');
    return child;
  };
  let core = await runCore();
  const operator = connectCore({
    addresses: [made.address],
    credential: holdCredential(loadCredential(join(directory, 'operators/admin.pem'))),
    log,
  });
  await registerGate(directory, made.address, operator, [...builtinProfiles, ...Object.keys(profiles)]);

  const start = async (port: number, coap = options.coap): Promise<GateProcess> => {
    configure({
      core: coreSection,
      coap: {
        listen: { port },
        core: { addresses: [made.address], credential: 'ra/coap/credential.pem' },
        ...coap,
      },
    });
    const child = track(spawn(process.execPath, [gateProgram, directory], { stdio: ['ignore', 'ignore', 'pipe'] }));
    await child.line(({ msg }) => msg === 'ready');
    const running = readJson(join(directory, 'run/coap.json'));
    return {
      ...child,
      port: Number(String(running.address).split(':').at(-1)),
      management: String(running.management),
    };
  };
  let gate = await start(0);
  const [root] = decodePem(readFileSync(join(directory, made.trustAnchor), 'latin1'), ['CERTIFICATE']);
  if (root === undefined) throw new Error('the keep has no trust anchor');
  return {
    directory,
    trustAnchor: root.der,
    operator,
    get core() {
      return core;
    },
    startCore: async () => {
      core = await runCore();
    },
    get gate() {
      return gate;
    },
    startGate: async (coap) => {
      gate = await start(gate.port, coap);
      return gate;
    },
    stop: async () => {
      core.signal('SIGCONT');
      await gate.stop();
      await operator.close();
      await core.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

// Some of them are secrets, which processes take from files of their owner alone.
function writePrivately(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o600 });
}

async function registerGate(
  directory: string,
  address: string,
  operator: CoreClient,
  profiles: readonly string[],
): Promise<void> {
  const everything = ['*'];
  const { token } = await operator.administration.addRegistrationAuthority({
    registrationAuthority: {
      name: 'coap',
      profiles: [...profiles],
      scope: {
        dnsSuffixes: everything,
        ipRanges: everything,
        uriPrefixes: everything,
        emailDomains: everything,
        subjectAttributes: ['CN', 'serialNumber', 'O', 'OU', 'C', 'ST', 'L'].map((type) => `${type}=*`),
      },
      maximumValidity: undefined,
      ratePerSecond: 0,
      isDisabled: false,
      createdAt: undefined,
      credentialExpiresAt: undefined,
    },
    tokenLife: undefined,
  });
  const file = join(directory, 'ra/coap/credential.pem');
  mkdirSync(dirname(file), { recursive: true });
  await joinWithToken({ token, file, log, addresses: [address] });
}

async function runToEnd(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`gatehouse ${args.join(' ')} ended with ${code}: ${errors}`);
}

/** Has `up` make what a keep needs, and stops it again. */
async function makeKeep(directory: string) {
  const child = spawn(process.execPath, [command, 'up', '--data', directory, '--only', 'core', '--ports', 'auto'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const exit = once(child, 'exit');
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.trim() === 'ready') resolve();
  });
  const ended = exit.then(([code]) => {
    throw new Error(`gatehouse up ended with ${code}: ${errors}`);
  });
  await Promise.race([ready, ended]);
  ended.catch(() => undefined);
  const { core, trustAnchor } = readJson(join(directory, 'endpoints.json'));
  child.kill('SIGTERM');
  await exit;
  return { address: String(Reflect.get(Object(core), 'address')), trustAnchor: String(trustAnchor) };
}

function track(child: ChildProcess): Process {
  const lines: LogLine[] = [];
  const waiting = new Set<(line: LogLine) => void>();
  const exit = once(child, 'exit');
  // Nothing is left behind by a test that fails on its way.
  process.once('exit', () => child.kill('SIGKILL'));
  if (child.stderr === null) throw new Error('the process has no standard error');
  createInterface({ input: child.stderr }).on('line', (text) => {
    const line = parseLine(text);
    lines.push(line);
    for (const take of [...waiting]) take(line);
  });
  return {
    lines,
    line: async (fits) => {
      const past = lines.find(fits);
      if (past !== undefined) return past;
      const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
      const take = (line: LogLine): void => {
        if (fits(line)) resolve(line);
      };
      waiting.add(take);
      const fail = (why: string) => reject(new Error(`${why}: ${JSON.stringify(lines.slice(-5))}`));
      exit.then(() => fail('the process ended'));
      const limit = setTimeout(() => fail('no such line came'), longestWaitMs);
      return await promise.finally(() => {
        clearTimeout(limit);
        waiting.delete(take);
      });
    },
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      await exit;
    },
    signal: (signal) => {
      child.kill(signal);
    },
  };
}

function parseLine(text: string): LogLine {
  try {
    return JSON.parse(text);
  } catch {
    return { text };
  }
}

function readJson(path: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(path, 'utf8'));
}
