// One process of the house in a drill: it can be killed, stopped in its tracks and started again, always with the same
// arguments. That it ended when nobody had told it to is remembered: in a drill nothing but the drill ends a process.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CommandError } from '../command.ts';

/** A process. */
export type Resident = {
  /** Name of its run file and of its log: `core`, `acme`, `perspective-here-a`. */
  readonly name: string;
  /** Starts it, when it does not run. */
  launch(): void;
  /** Resolves when it says of itself that it is ready. @throws {CommandError} when it does not within two minutes */
  ready(): Promise<void>;
  /** Ends it as a power cut does. */
  kill(): Promise<void>;
  /** Stops it where it is: it answers nothing, and its connections stay. */
  freeze(): void;
  thaw(): void;
  /** Ends it in good order. @throws {CommandError} when it does not end so */
  stop(): Promise<void>;
  readonly pid: number;
  /** How it ended without being told, each time. */
  readonly unasked: readonly string[];
  /** Lines of its log so far. */
  log(): readonly string[];
};

/** What {@link createResident} takes. */
export type ResidentOptions = {
  readonly name: string;
  /** The data directory. */
  readonly directory: string;
  /** Of Node.js itself, then the command and its own. */
  readonly parameters: readonly string[];
};

const readyTimeoutMs = 120_000;
const pollMs = 50;

/** Makes it; it is not started. */
export function createResident({ name, directory, parameters }: ResidentOptions): Resident {
  const logFile = join(directory, 'log', `${name}.log`);
  const unasked: string[] = [];
  let child: ChildProcess | undefined;

  const end = async (signal: NodeJS.Signals): Promise<string | undefined> => {
    const ending = child;
    child = undefined;
    if (ending === undefined) return undefined;
    const ended = once(ending, 'exit');
    // What is stopped does not hear SIGTERM.
    ending.kill('SIGCONT');
    ending.kill(signal);
    const [status, killedBy] = await ended;
    return killedBy === null ? `status ${status}` : String(killedBy);
  };
  return {
    name,
    unasked,
    get pid() {
      return child?.pid ?? 0;
    },
    launch: () => {
      if (child !== undefined) return;
      const log = openSync(logFile, 'a', 0o600);
      // The channel ends it when the drill ends, whatever the cause.
      const started = spawn(process.execPath, parameters, { stdio: ['ignore', 'ignore', log, 'ipc'] });
      closeSync(log);
      child = started;
      started.once('exit', (status, signal) => {
        if (child !== started) return;
        child = undefined;
        unasked.push(`${name} ended by itself with ${signal ?? `status ${status}`}: ${lastLine(logFile)}`);
      });
    },
    ready: async () => {
      const deadline = Date.now() + readyTimeoutMs;
      while (!(await isReady(directory, name, child?.pid))) {
        if (child === undefined) throw new CommandError(unasked.at(-1) ?? `${name} was not started`);
        if (Date.now() > deadline) throw new CommandError(`${name} is not ready: ${lastLine(logFile)}`);
        await pause(pollMs);
      }
    },
    kill: async () => void (await end('SIGKILL')),
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    stop: async () => {
      const how = await end('SIGTERM');
      if (how !== undefined && how !== 'status 0') throw new CommandError(`${name} ended with ${how}`);
    },
    log: () => readFileSync(logFile, 'utf8').split('\n').slice(0, -1),
  };
}

/** Whether the process `pid` has said in its run file where it is, and is ready. */
async function isReady(directory: string, name: string, pid: number | undefined): Promise<boolean> {
  try {
    const facts: unknown = JSON.parse(readFileSync(join(directory, 'run', `${name}.json`), 'utf8'));
    if (typeof facts !== 'object' || facts === null || !('pid' in facts) || !('management' in facts)) return false;
    if (facts.pid !== pid || !('address' in facts)) return false;
    return (await fetch(`http://${facts.management}/readyz`)).ok;
  } catch {
    // It does not listen yet.
    return false;
  }
}

function lastLine(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? '';
}
