// The command as a process of its own: what it says, how it ends, and waiting for either. A process never outlives the
// test that started it: it has a channel to the test, whose end is its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The file that npm links as `gatehouse`. */
const program = fileURLToPath(new URL('../../../bin/gatehouse.js', import.meta.url));

/** How a process ended. */
export type Ended = {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** All that it wrote on standard output. */
  readonly output: string;
  /** All that it wrote on standard error, log lines among it. */
  readonly errors: string;
  /** What it wrote on standard error in plain words: no log lines. */
  readonly words: readonly string[];
};

/** A running command. */
export type RunningCommand = {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** The first line that fits, of those written so far or later. Rejects with all it said when the process ends without it. */
  line(form: RegExp): Promise<string>;
  /** How many of the lines written so far fit. */
  count(form: RegExp): number;
  kill(signal: NodeJS.Signals): void;
};

/** What {@link startCommand} takes beside the arguments. */
export type CommandOptions = {
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Runs as this user. */
  readonly uid?: number | undefined;
  /** Is started by this command: `['prlimit', …]`. */
  readonly through?: readonly string[] | undefined;
  /** Arguments of Node.js itself. */
  readonly node?: readonly string[] | undefined;
};

/** Starts `gatehouse` with these arguments. */
export function startCommand(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const { environment = {}, uid, through = [], node = [] } = options;
  const [first = process.execPath, ...rest] = [...through, process.execPath, ...node, program, ...args];
  const child = spawn(first, rest, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...environment },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  return follow(child);
}

/** Runs `gatehouse` with these arguments to its end. */
export async function runCommand(args: readonly string[], options?: CommandOptions): Promise<Ended> {
  return await startCommand(args, options).ended;
}

function follow(child: ChildProcess): RunningCommand {
  const lines: string[] = [];
  const waiting = new Set<(line: string) => void>();
  const text = { output: '', errors: '' };
  const take = (stream: NodeJS.ReadableStream | null, name: keyof typeof text): void => {
    let rest = '';
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk: string) => {
      text[name] += chunk;
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(line);
        for (const tell of waiting) tell(line);
      }
    });
  };
  take(child.stdout, 'output');
  take(child.stderr, 'errors');
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, ...text, words: plainWords(text.errors) }));
  });
  return {
    pid: child.pid ?? 0,
    ended,
    line: (form) => {
      const known = lines.find((line) => form.test(line));
      if (known !== undefined) return Promise.resolve(known);
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const tell = (line: string): void => {
        if (form.test(line)) resolve(line);
      };
      waiting.add(tell);
      ended.then(
        ({ output, errors }) => reject(new Error(`ended before it said ${form}:\n${output}${errors}`)),
        reject,
      );
      return promise.finally(() => waiting.delete(tell));
    },
    count: (form) => lines.filter((line) => form.test(line)).length,
    kill: (signal) => void child.kill(signal),
  };
}

function plainWords(errors: string): readonly string[] {
  return errors.split('\n').filter((line) => line !== '' && !line.startsWith('{"level"'));
}
