/** A stack for one benchmark: `gatehouse up` in a temporary directory, found through endpoints.json, and an RA of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A running stack. */
export type Stack = {
  readonly directory: string;
  readonly core: { readonly address: string; readonly pid: number };
  readonly est: {
    readonly url: string;
    readonly username: string;
    readonly password: string;
    readonly pid: number;
    /** PEM. */
    readonly trustAnchor: string;
  };
  /** Registers an RA for `profile` and names below `dns`; answers the path of its credential. */
  addRegistrationAuthority(name: string, profile: string, dns: string): string;
  stop(): Promise<void>;
};

const command = fileURLToPath(new URL('../../cli/bin/gatehouse.js', import.meta.url));

/** Starts a stack and waits until it says that it is ready. */
export async function startStack(): Promise<Stack> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  const process_ = await startUp(directory, '--only', 'est,status');
  const endpoints = JSON.parse(readFileSync(join(directory, 'endpoints.json'), 'utf8'));
  const runFile = (name: string) => JSON.parse(readFileSync(join(directory, 'run', `${name}.json`), 'utf8'));
  return {
    directory,
    core: { address: endpoints.core.address, pid: runFile('core').pid },
    est: {
      ...endpoints.est,
      pid: runFile('est').pid,
      trustAnchor: readFileSync(join(directory, endpoints.trustAnchor), 'utf8'),
    },
    addRegistrationAuthority: (name, profile, dns) => addRegistrationAuthority(directory, name, profile, dns),
    async stop() {
      await stopUp(process_);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Registers an RA with a running core for `profile` and names below `dns`; answers the path of its credential. */
export function addRegistrationAuthority(directory: string, name: string, profile: string, dns: string): string {
  const run = (...parameters: readonly string[]) =>
    execFileSync(process.execPath, [command, ...parameters, '--data', directory, '--json'], { encoding: 'utf8' });
  const { token } = JSON.parse(run('ra', 'add', name, '--profiles', profile, '--dns', dns));
  run('ra', 'join', '--token', token);
  return join(directory, 'ra', name, 'credential.pem');
}

/** Starts `gatehouse up` on a directory and waits for `ready`; the caller stops it. */
export async function startUp(directory: string, ...options: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [command, 'up', '--data', directory, '--ports', 'auto', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`gatehouse up ended with ${code}`);
  });
  const ready = (async () => {
    for await (const line of createInterface({ input: child.stdout })) if (line === 'ready') return;
    throw new Error('gatehouse up is not ready');
  })();
  await Promise.race([ready, ended]);
  ended.catch(() => undefined);
  child.stdout.resume();
  return child;
}

/** Ends `gatehouse up` in good order. */
export async function stopUp(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** Resident memory of a process in megabytes; undefined where the system does not tell. */
export function residentMegabytes(pid: number): number | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB$/m);
    return line === null ? undefined : Math.round(Number(line[1]) / 1024);
  } catch {
    return undefined;
  }
}
