// The whole trial set-up: `gatehouse up --only acme` with its two perspectives in a throw-away directory, each a process of its own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const command = join(import.meta.dirname, '../../../../cli/bin/gatehouse.js');

/** What runs. */
export type RunningUp = {
  readonly directory: string;
  /** URL of the ACME directory. */
  readonly acme: string;
  /** PEM of the root. */
  readonly trustAnchor: string;
  /** Lines that a process has logged so far: `acme`, `core`, `perspective-here-a`. */
  log(process: string): readonly Readonly<Record<string, unknown>>[];
  /** Ends a process as a crash would; it is started again. */
  crash(process: string): void;
  /** Runs an operator's command. @returns what it printed */
  run(...args: readonly string[]): Promise<string>;
  stop(): Promise<void>;
};

/** Starts it. @param settings of `--set` */
export async function startUp(settings: readonly string[]): Promise<RunningUp> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-acme-up-'));
  const args = ['up', '--data', directory, '--only', 'acme', '--ports', 'auto'];
  const child = spawn(process.execPath, [command, ...args, ...settings.flatMap((one) => ['--set', one])], {
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
  const readLog: RunningUp['log'] = (name) =>
    readFileSync(join(directory, 'log', `${name}.log`), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line));
  return {
    directory,
    acme: String(endpoints.acme.directory),
    trustAnchor: readFileSync(join(directory, String(endpoints.trustAnchor)), 'utf8'),
    log: readLog,
    crash: (name) => process.kill(Number(readLog(name).at(-1)?.pid), 'SIGKILL'),
    run: async (...args) => {
      const operator = spawn(process.execPath, [command, ...args, '--data', directory], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      for (const stream of [operator.stdout, operator.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          output += chunk.toString();
        });
      }
      const [code] = await once(operator, 'exit');
      if (code !== 0) throw new Error(`gatehouse ${args.join(' ')} ended with ${code}: ${output}`);
      return output;
    },
    stop: async () => {
      child.kill('SIGTERM');
      await exit;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
