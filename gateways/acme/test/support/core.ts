// A keep for tests of this gate: `gatehouse up --only core` in a throw-away directory, with an RA called `acme` registered
// in it. Gates run inside of the test's own process, so that their clock and their state can be looked into.

import { spawn } from 'node:child_process';
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

/** The command as the root of the repository installs it; a gate's code imports nothing of the command line. */
const command = join(import.meta.dirname, '../../../../cli/bin/gatehouse.js');
const log = createLog({ name: 'test', level: 'silent' });

/** What a keep is made with. */
export type CoreOptions = {
  /** Text of further profiles by name. */
  readonly profiles?: Readonly<Record<string, string>>;
  /** Text of gatehouse.yaml, in place of the one that `init` writes. */
  readonly configuration?: string;
  /** Built-in profiles that the RA may use. */
  readonly builtin?: readonly string[];
};

/** A running keep. */
export type TestCore = {
  readonly directory: string;
  /** `host:port`. */
  readonly address: string;
  /** PEM of the root. */
  readonly trustAnchor: string;
  /** The keep, as its operator. */
  readonly operator: CoreClient;
  stop(): Promise<void>;
};

/** Starts a keep; call `stop` at the end. */
export async function startCore(options: CoreOptions = {}): Promise<TestCore> {
  const { profiles = {}, configuration, builtin = ['tls-server', 'gateway-tls'] } = options;
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-acme-'));
  await runToEnd(['init', '--data', directory]);
  for (const [name, text] of Object.entries(profiles)) writeFileSync(join(directory, `profiles/${name}.yaml`), text);
  if (configuration !== undefined) writeFileSync(join(directory, 'gatehouse.yaml'), configuration);
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
  const endpoints = JSON.parse(readFileSync(join(directory, 'endpoints.json'), 'utf8'));
  const address = String(endpoints.core.address);
  const operator = connectCore({
    addresses: [address],
    credential: holdCredential(loadCredential(join(directory, 'operators/admin.pem'))),
    log,
  });
  await registerGate(directory, address, operator, [...builtin, ...Object.keys(profiles)]);
  return {
    directory,
    address,
    trustAnchor: readFileSync(join(directory, String(endpoints.trustAnchor)), 'utf8'),
    operator,
    stop: async () => {
      await operator.close();
      child.kill('SIGTERM');
      await exit;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function registerGate(directory: string, address: string, operator: CoreClient, profiles: readonly string[]) {
  const everything = ['*'];
  const { token } = await operator.administration.addRegistrationAuthority({
    registrationAuthority: {
      name: 'acme',
      profiles: [...profiles],
      scope: {
        dnsSuffixes: everything,
        ipRanges: everything,
        uriPrefixes: [],
        emailDomains: [],
        subjectAttributes: ['CN=*'],
      },
      maximumValidity: undefined,
      ratePerSecond: 0,
      isDisabled: false,
      createdAt: undefined,
      credentialExpiresAt: undefined,
    },
    tokenLife: undefined,
  });
  const file = join(directory, 'ra/acme/credential.pem');
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
