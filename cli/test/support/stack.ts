// A whole suite as `gatehouse up` starts it, on ports that the system chooses, in a directory of its own.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ended, type RunningCommand, startCommand } from '../faults/support/command.ts';

/** What stands in endpoints.json. */
export type Endpoints = {
  readonly trustAnchor: string;
  readonly chain: string;
  readonly core: { readonly address: string };
  readonly est: { readonly url: string; readonly username: string; readonly password: string };
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

/** Whether a process lives. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
