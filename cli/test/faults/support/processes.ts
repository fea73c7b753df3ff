// The core and the EST gate as single processes, as `gatehouse run` starts them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type CommandOptions, type Ended, type RunningCommand, runCommand, startCommand } from './command.ts';

/** Where a process listens. */
export type Listening = { readonly command: RunningCommand; readonly address: string; readonly management: string };

/** Starts a core and waits until it listens. @param port 0 takes any free port */
export async function startCore(
  directory: string,
  port = 0,
  set: readonly string[] = [],
  options?: CommandOptions,
): Promise<Listening> {
  const command = startCommand(coreArguments(directory, port, set), options);
  const { address, management } = JSON.parse(await command.line(/"msg":"core listens"/));
  return { command, address, management };
}

/** Starts a core that is expected not to come up; answers what it said. */
export async function startCoreInVain(
  directory: string,
  set: readonly string[] = [],
  options?: CommandOptions,
): Promise<Ended> {
  return await runCommand(coreArguments(directory, 0, set), options);
}

/** It ended by itself with one message for a person: what is wrong, and what to do; and no stack trace. */
export function assertRefused({ exitCode, signal, errors, words }: Ended, message: RegExp, advice: RegExp): void {
  assert.equal(signal, null);
  assert.notEqual(exitCode, 0);
  assert.ok(words.length <= 2, `more than a sentence and its advice:\n${errors}`);
  assert.match(words[0] ?? '', message);
  assert.match(words[1] ?? '', advice);
  assert.doesNotMatch(errors, /^\s+at |\\n\s+at |"level":"fatal"/m);
}

/** Starts an EST gate; it listens when its `ready` line comes, which may need the core. */
export function startEst(directory: string, core: string, port: number, set: readonly string[] = []): RunningCommand {
  const address = `est.core.addresses=${JSON.stringify([core])}`;
  const assignments = [address, `est.listen.port=${port}`, 'est.management.port=0', ...set];
  return startCommand([
    'run',
    'est',
    '--data',
    directory,
    ...assignments.flatMap((assignment) => ['--set', assignment]),
  ]);
}

/** Ends a process as SIGTERM does; it must end in good order. */
export async function stop(command: RunningCommand): Promise<void> {
  command.kill('SIGTERM');
  const { exitCode, signal, errors } = await command.ended;
  assert.deepEqual({ exitCode, signal }, { exitCode: 0, signal: null }, errors);
}

/** Ends a process as a power cut does. */
export async function killNow(command: RunningCommand): Promise<void> {
  command.kill('SIGKILL');
  await command.ended;
}

/** Waits until a process that is no child of ours has ended. */
export async function untilGone(pid: number): Promise<void> {
  // The system tells only parents; anybody else has to look.
  while (isRunning(pid)) await pause(20);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // Where nobody collects orphans (a container without an init), an ended process stays on the list as a zombie.
    return !/^\d+ \(.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return process.platform !== 'linux';
  }
}

function coreArguments(directory: string, port: number, set: readonly string[]): readonly string[] {
  const assignments = [`core.listen.port=${port}`, 'core.management.port=0', ...set];
  return ['run', 'core', '--data', directory, ...assignments.flatMap((assignment) => ['--set', assignment])];
}
