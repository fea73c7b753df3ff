// A whole suite as `gatehouse up` starts it, on ports that the system chooses, in a directory of its own.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Ended, type RunningCommand, startCommand } from '../faults/support/command.ts';

/** What stands in endpoints.json. */
export type Endpoints = {
  readonly trustAnchor: string;
  readonly chain: string;
  readonly core: { readonly address: string };
  readonly est: { readonly url: string; readonly username: string; readonly password: string };
  readonly coap: {
    readonly url: string;
    readonly deviceCertificate?: string;
    readonly deviceKey?: string;
    readonly manufacturer?: string;
  };
  readonly acme: { readonly directory: string };
  readonly status: { readonly ocsp: string; readonly crl: string };
};

/** A running suite. */
export type Stack = {
  readonly directory: string;
  readonly command: RunningCommand;
  readonly endpoints: Endpoints;
  /** What Ctrl-C does. */
  interrupt(): Promise<Ended>;
};

/** A directory that nothing is in, removed at the end of the test. */
export function emptyDirectory(context: { after(hook: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-cli-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Starts everything and waits for `ready`. */
export async function startStack(directory: string, args: readonly string[] = []): Promise<Stack> {
  const command = startCommand(['up', '--data', directory, '--ports', 'auto', ...args]);
  await command.line(/^ready$/);
  return {
    directory,
    command,
    endpoints: readEndpoints(directory),
    interrupt: () => {
      command.kill('SIGINT');
      return command.ended;
    },
  };
}

/** Reads endpoints.json. */
export function readEndpoints(directory: string): Endpoints {
  return JSON.parse(readFileSync(join(directory, 'endpoints.json'), 'utf8'));
}

/** The process behind run/<name>.json. */
export function processOf(directory: string, name: string): { readonly pid: number; readonly address: string } {
  return JSON.parse(readFileSync(join(directory, 'run', `${name}.json`), 'utf8'));
}

/** Whether a process lives. One that has ended and waits to be collected, which may take its collector a while, does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // proc(5): the state follows the name, which stands in parentheses and may hold some itself.
  const status = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'latin1') : '';
  return !/^.*\) Z/s.test(status);
}

/** Resolves when a process that is no child of this one, and so tells nobody here of its end, has ended. */
export async function hasEnded(pid: number): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (isAlive(pid)) {
    if (Date.now() > deadline) throw new Error(`process ${pid} goes on`);
    await setTimeout(20);
  }
}
