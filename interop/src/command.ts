// Runs the programs of others and waits for their end. It never goes through a shell, so that no file name and no
// password is ever taken for a command, and it never leaves a program behind that hangs.

import { spawn } from 'node:child_process';

/** How a program is run. */
export type CommandOptions = {
  /** What it reads on standard input; nothing unless given. */
  readonly input?: string | Uint8Array | undefined;
  readonly cwd?: string | undefined;
  /** Added to the environment of this process. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** When it is killed; 60 000 ms unless told. */
  readonly timeoutMs?: number | undefined;
};

/** How a program ended. */
export type CommandResult = {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
};

/** A program that is missing, that did not end in time, or that failed where it must not. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/**
 * Runs a program to its end, whatever its status.
 *
 * @throws {CommandError} when it cannot be started, or does not end in time
 */
export function runCommand(
  program: string,
  parameters: readonly string[],
  { input, cwd, environment, timeoutMs = 60_000 }: CommandOptions = {},
): Promise<CommandResult> {
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  const child = spawn(program, parameters, {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A program that ends before it has read its input is judged by its status.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  child.on('error', (cause) => reject(new CommandError(`${program} cannot be started: ${cause.message}`, { cause })));
  child.on('close', (status, signal) => {
    if (status === null) {
      reject(new CommandError(`${program} was ended by ${signal}, after at most ${timeoutMs} ms`));
      return;
    }
    resolve({ status, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString('utf8') });
  });
  return promise;
}

/**
 * Runs a program that must succeed, and gives what it printed.
 *
 * @throws {CommandError} with the end of what it said when its status is not 0
 */
export async function output(
  program: string,
  parameters: readonly string[],
  options: CommandOptions = {},
): Promise<Buffer> {
  const { status, stdout, stderr } = await runCommand(program, parameters, options);
  if (status !== 0) throw new CommandError(`${program} ended with status ${status}: ${lastLines(stderr)}`);
  return stdout;
}

/** The last three lines with something on them, in one. */
export function lastLines(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '')
    .slice(-3)
    .join(' | ');
}
