// The life of a process: start, run, drain on SIGINT or SIGTERM, stop; and one clear line when it cannot go on.
// No other code installs signal handlers or calls process.exit, and no error ends a process without having been logged.

import { FatalError, formatFatalError } from './fatal.ts';
import type { Logger } from './log.ts';

/** What a process's start function gets. */
export type ProcessLife = {
  /**
   * Registers what to do at the end. Called in reverse order of registration, one after the other, within ten seconds
   * altogether; what is registered while the process already stops is called at once.
   */
  onShutdown(name: string, stop: () => void | Promise<void>): void;
  /** Begins an orderly end from inside, as SIGTERM would from outside. */
  shutdown(reason: string, exitCode?: number): void;
};

/** What {@link runProcess} takes. */
export type RunProcessOptions = {
  /** Name for log lines: 'core', 'est'. */
  readonly name: string;
  readonly log: Logger;
  /** Brings the process up; returns when it is ready to serve. */
  readonly start: (life: ProcessLife) => Promise<void>;
  /** Time for the whole shutdown; 10 000 unless told. */
  readonly shutdownTimeoutMs?: number | undefined;
};

type Shutdown = { readonly name: string; readonly stop: () => void | Promise<void> };

/** The oldest Node.js that has everything this house uses (ML-DSA, node:sqlite, type stripping). */
const oldestNode = 26;

/** One Ctrl-C may come twice: from the terminal, and passed on by npm, which got it too. */
const echoMs = 500;

/** Ends the process with one line when Node.js is older than 26. */
export function refuseOldNode(version: string = process.versions.node): void {
  if (Number.parseInt(version, 10) >= oldestNode) return;
  const error = new FatalError(`Gatehouse needs Node.js ${oldestNode} or newer, but this is ${version}`, {
    hint: "start it through npm (npm start, npx gatehouse): 'npm ci' has installed the right one",
  });
  process.stderr.write(`${formatFatalError(error)}\n`);
  process.exit(1);
}

/**
 * Runs a process from start to end. Resolves when `start` has; afterwards the process lives until a signal, `shutdown`
 * or an error ends it. A {@link FatalError} becomes one line (and its hint) on standard error and its exit code; any
 * other error is logged and ends with 1.
 */
export async function runProcess(options: RunProcessOptions): Promise<void> {
  refuseOldNode();
  const { log, name } = options;
  const timeoutMs = options.shutdownTimeoutMs ?? 10_000;
  const registered: Shutdown[] = [];
  const stopping = { name: '' };
  let ending = false;

  const end = (reason: string, exitCode: number): void => {
    if (ending) return;
    ending = true;
    log.info({ reason }, `${name} stops`);
    const deadline = setTimeout(() => {
      log.error({ waitingFor: stopping.name }, `${name} did not stop within ${timeoutMs} ms`);
      exit(log, exitCode === 0 ? 1 : exitCode);
    }, timeoutMs);
    stopAll(registered, stopping, log).then(() => {
      clearTimeout(deadline);
      log.info(`${name} stopped`);
      exit(log, exitCode);
    });
  };

  const fail = (error: unknown): void => {
    if (error instanceof FatalError) {
      // One message for the operator; where it came from is for whoever looks for it.
      process.stderr.write(`${formatFatalError(error)}\n`);
      log.debug({ err: error }, `${name} cannot go on`);
      end('fatal error', error.exitCode);
      return;
    }
    // After an unknown error nothing about the state of the process can be relied on: no draining.
    log.fatal({ err: error }, `${name} ends because of an unexpected error`);
    exit(log, 1);
  };

  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  const asked = { signal: '', at: Number.NEGATIVE_INFINITY };
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    process.on(signal, () => {
      const now = performance.now();
      const isEcho = signal === asked.signal && now - asked.at < echoMs;
      Object.assign(asked, { signal, at: now });
      // Whoever asks twice does not want to wait.
      if (ending && !isEcho) exit(log, 128 + number);
      end(signal, 0);
    });
  }

  const life: ProcessLife = {
    onShutdown: (shutdownName, stop) => {
      registered.push({ name: shutdownName, stop });
      if (ending) stopAll(registered, stopping, log);
    },
    shutdown: (reason, exitCode = 0) => end(reason, exitCode),
  };
  try {
    await options.start(life);
  } catch (error) {
    // An error that comes from being stopped in the middle of the start is not news.
    if (!ending) fail(error);
  }
}

async function stopAll(registered: Shutdown[], stopping: { name: string }, log: Logger): Promise<void> {
  for (let next = registered.pop(); next !== undefined; next = registered.pop()) {
    stopping.name = next.name;
    try {
      await next.stop();
    } catch (error) {
      log.error({ err: error, part: next.name }, 'a part did not stop cleanly');
    }
  }
}

function exit(log: Logger, exitCode: number): never {
  log.flush();
  process.exit(exitCode);
}
