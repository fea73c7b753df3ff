// How `gatehouse up` starts its processes: it makes a directory and starts them once, and is asked for the arguments that it
// gave them, so that a drill can start each of them singly.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CommandError, lastLines } from '../command.ts';

/** The command line of the house. */
export const command = fileURLToPath(new URL('../../../cli/bin/gatehouse.js', import.meta.url));

/** What {@link askUp} takes. */
export type UpQuestion = {
  /** The data directory. */
  readonly data: string;
  /** The gate that is started beside the core. */
  readonly gate: string;
  /** Names of the processes whose arguments are asked for. */
  readonly processes: readonly string[];
  /** `--set` arguments. */
  readonly settings: readonly string[];
};

/** What `up` did. */
export type UpAnswer = {
  /** By the name of the process: what Node.js was started with. */
  readonly arguments: ReadonlyMap<string, readonly string[]>;
  /** What endpoints.json said while it ran. */
  readonly endpoints: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** PEM of the root. */
  readonly trustAnchor: string;
};

/** Starts `gatehouse up` in the directory, looks how it started its processes, and stops it. @throws {CommandError} */
export async function askUp({ data, gate, processes, settings }: UpQuestion): Promise<UpAnswer> {
  const set = settings.flatMap((setting) => ['--set', setting]);
  const child = spawn(process.execPath, [command, 'up', '--data', data, '--only', gate, ...set], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  const ended = once(child, 'exit');
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on('line', (line) => line === 'ready' && resolve());
  const failed = ended.then(([status]) => {
    throw new CommandError(`gatehouse up ended with status ${status}: ${lastLines(said)}`);
  });
  await Promise.race([ready, failed]);
  failed.catch(() => undefined);
  const endpoints = JSON.parse(readFileSync(join(data, 'endpoints.json'), 'utf8'));
  const answer = {
    arguments: new Map(processes.map((name) => [name, argumentsOf(data, name)])),
    endpoints,
    trustAnchor: readFileSync(join(data, String(endpoints.trustAnchor)), 'utf8'),
  };
  child.kill('SIGTERM');
  await ended;
  return answer;
}

/** proc(5): the arguments of a process, each with a NUL after it, the program first. */
function argumentsOf(data: string, name: string): readonly string[] {
  const { pid } = JSON.parse(readFileSync(join(data, 'run', `${name}.json`), 'utf8'));
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(1, -1);
}
