// One process of the house in a drill: it can be killed, stopped in its tracks and started again, always with the same
// arguments. That it ended when nobody had told it to is remembered: in a drill nothing but the drill ends a process.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { CommandError } from '../command.ts';

/** A process. */
export type Resident = {
  /** Name of its run file and of its log: `core`, `acme`, `perspective-here-a`. */
  readonly name: string;
  /** Of Node.js itself, then the command and its own. */
  readonly parameters: readonly string[];
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
  /** 0 when it does not run. */
  readonly pid: number;
  /** What it says of itself on /readyz: the status. @throws {Error} when it does not answer */
  readiness(): Promise<number>;
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
  const lines: string[] = [];
  let child: ChildProcess | undefined;

  const readiness = () => askReadiness(directory, name, child?.pid);
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
    parameters,
    unasked,
    get pid() {
      return child?.pid ?? 0;
    },
    launch: () => {
      if (child !== undefined) return;
      // The channel ends it when the drill ends, whatever the cause.
      const started = spawn(process.execPath, parameters, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
      child = started;
      if (started.stderr !== null) {
        createInterface({ input: started.stderr }).on('line', (line) => {
          lines.push(line);
          appendFileSync(logFile, `${line}\n`);
        });
      }
      started.once('exit', (status, signal) => {
        if (child !== started) return;
        child = undefined;
        unasked.push(`${name} ended by itself with ${signal ?? `status ${status}`}: ${lines.at(-1)}`);
      });
    },
    ready: async () => {
      const deadline = Date.now() + readyTimeoutMs;
      // Before it listens there is nobody to ask.
      while ((await readiness().catch(() => 0)) !== 200) {
        if (child === undefined) throw new CommandError(unasked.at(-1) ?? `${name} was not started`);
        if (Date.now() > deadline) throw new CommandError(`${name} is not ready: ${lines.at(-1)}`);
        await pause(pollMs);
      }
    },
    readiness,
    kill: async () => void (await end('SIGKILL')),
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    stop: async () => {
      const how = await end('SIGTERM');
      if (how !== undefined && how !== 'status 0') throw new CommandError(`${name} ended with ${how}`);
    },
    log: () => lines,
  };
}

/** The status of /readyz of the process `pid`, which says in its run file where it is. */
async function askReadiness(directory: string, name: string, pid: number | undefined): Promise<number> {
  const facts: unknown = JSON.parse(readFileSync(join(directory, 'run', `${name}.json`), 'utf8'));
  const isItsOwn = typeof facts === 'object' && facts !== null && 'pid' in facts && facts.pid === pid;
  if (!isItsOwn || !('management' in facts) || !('address' in facts)) throw new CommandError(`${name} does not listen`);
  return (await fetch(`http://${facts.management}/readyz`)).status;
}
