/**
 * One process of the suite under `gatehouse up`: started, watched until it answers, started again when it dies, and
 * ended in good order. It must never outlive `up`: the channel between them closes when `up` dies, whatever the cause.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FatalError } from '@gatehouse/runtime/fatal';
import { splitAddress } from '../address.ts';
import { type DataDirectory, type RunFile, readRunFile } from '../data-directory.ts';
import { createLogReader, type LogReader } from './log-reader.ts';

/** The command itself, as each process of the suite is started. */
const command = fileURLToPath(new URL('../../bin/gatehouse.js', import.meta.url));

export type ChildOptions = {
  /** Name of its run file and of its log: `core`, `est`, `perspective-here-a`, … */
  readonly name: string;
  /** Its section of gatehouse.yaml; its name unless told. */
  readonly section?: string | undefined;
  /** What `gatehouse run` is told; its name unless told. */
  readonly run?: readonly string[] | undefined;
  readonly data: DataDirectory;
  /** `--set` arguments. */
  readonly set: readonly string[];
  /** Told what a person should know: warnings of the process, and that it is started again. */
  warn(text: string): void;
};

export type Child = {
  readonly name: string;
  /** Where it listens, once it is ready for the first time. Rejects with FatalError in the process's own words. */
  readonly ready: Promise<RunFile>;
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>;
};

const readyTimeoutMs = 60_000;
const pollMs = 20;
/** A process has ten seconds to drain (runtime/lifecycle); what then still runs does not answer any more. */
const stopTimeoutMs = 12_000;
/** A process that dies at once each time is not started faster and faster. */
const restartDelaysMs = [100, 500, 2_000, 5_000] as const;
/** A process that ran for this long did not die at once. */
const settledAfterMs = 60_000;

/** Starts a process. */
export function startChild(options: ChildOptions): Child {
  const { name, section = name, data, warn } = options;
  const log = createLogReader({ name, path: data.logFile(name), warn });
  const stopping = new AbortController();
  let failures = 0;
  let current = launch(options, options.set, log);
  const ready = current.ready.then((running) => {
    watch([...options.set, ...pinnedPorts(section, running)]);
    return running;
  });

  return {
    name,
    ready,
    async stop() {
      stopping.abort();
      current.process.kill('SIGTERM');
      const patience = setTimeout(() => current.process.kill('SIGKILL'), stopTimeoutMs);
      await current.ended;
      clearTimeout(patience);
      log.close();
    },
  };

  /** @param set with the ports of the first start: a process that comes back must be found where it was */
  async function watch(set: readonly string[]): Promise<void> {
    while (!stopping.signal.aborted) {
      const startedAt = performance.now();
      const { why } = await current.ended;
      if (stopping.signal.aborted) return;
      failures = performance.now() - startedAt > settledAfterMs ? 1 : failures + 1;
      const delayMs = restartDelaysMs[Math.min(failures, restartDelaysMs.length) - 1] ?? 0;
      warn(`${name}: ${why}; it is started again in ${delayMs} ms`);
      await pause(delayMs, stopping.signal);
      if (stopping.signal.aborted) return;
      current = launch(options, set, log);
      await current.ready.then(
        () => warn(`${name}: it is back`),
        (error: unknown) => {
          if (!stopping.signal.aborted) warn(`${name}: ${error instanceof Error ? error.message : error}`);
          current.process.kill('SIGKILL');
        },
      );
    }
  }
}

type Ended = { readonly why: string; readonly exitCode: number };

type Launched = {
  readonly process: ChildProcess;
  readonly ready: Promise<RunFile>;
  readonly ended: Promise<Ended>;
};

// What a request needs is garbage a moment later: with room for many requests the collector copies next to nothing.
const engineOptions = ['--max-semi-space-size=32'];

function launch({ name, run = [name], data, warn }: ChildOptions, set: readonly string[], log: LogReader): Launched {
  rmSync(data.runFile(name), { force: true });
  const child = spawn(
    process.execPath,
    [
      ...engineOptions,
      command,
      'run',
      ...run,
      '--data',
      data.path,
      ...set.flatMap((assignment) => ['--set', assignment]),
    ],
    // A group of its own: Ctrl-C reaches `up` alone, which ends the gates before the core.
    { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true },
  );
  log.begin();
  for (const stream of [child.stdout, child.stderr]) if (stream !== null) log.follow(stream);
  const ended = new Promise<Ended>((resolve) => {
    child.on('error', (error) => resolve({ why: `it cannot be started: ${error.message}`, exitCode: 1 }));
    child.on('close', (code, signal) => {
      const why = signal === null ? `it ended with status ${code}` : `it was killed by ${signal}`;
      resolve({ why, exitCode: code ?? 1 });
    });
  });
  const ready = Promise.race([
    waitUntilReady(name, data, child, warn),
    ended.then(({ why, exitCode }) => {
      throw log.explainEnd(why, exitCode);
    }),
  ]).then((running) => {
    log.settle();
    return running;
  });
  return { process: child, ready, ended };
}

async function waitUntilReady(
  name: string,
  data: DataDirectory,
  child: ChildProcess,
  warn: (text: string) => void,
): Promise<RunFile> {
  const startedAt = performance.now();
  let problem = 'it does not listen';
  let isLate = false;
  while (child.exitCode === null && child.signalCode === null) {
    const running = readRunFile(data.runFile(name));
    if (running !== undefined && running.pid === child.pid) {
      const answer = await fetch(`http://${running.management}/readyz`).catch(() => undefined);
      if (answer?.ok === true) return running;
      problem = (await answer?.text().catch(() => undefined))?.trim() ?? 'it does not answer on /readyz';
    }
    const waitedMs = performance.now() - startedAt;
    if (waitedMs > readyTimeoutMs) break;
    if (waitedMs > 5_000 && !isLate) {
      isLate = true;
      warn(`${name}: not ready yet: ${problem}`);
    }
    await pause(pollMs);
  }
  throw new FatalError(`${name} was not ready within ${readyTimeoutMs / 1000} s: ${problem}`, {
    hint: `its log is ${data.logFile(name)}`,
  });
}

function pinnedPorts(section: string, { address, management }: RunFile): readonly string[] {
  return [
    `${section}.listen.port=${splitAddress(address).port}`,
    `${section}.management.port=${splitAddress(management).port}`,
  ];
}

async function pause(durationMs: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, durationMs);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
