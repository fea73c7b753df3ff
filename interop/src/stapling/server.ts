// TLS servers of others that staple, RFC 6066 §8: ordinary processes that end with the operation they were started for.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { lastLines } from '../command.ts';
import { eventually } from '../patience.ts';

/** How a server is started. */
export type ServerCommand = {
  readonly program: string;
  readonly parameters: readonly string[];
  readonly environment?: Readonly<Record<string, string>> | undefined;
};

/** A server did not start, or ended by itself. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
}

/** A port of the loopback interface that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new ServerError('the system gives no port');
  return address.port;
}

/**
 * Runs a server while `use` needs it, and ends it whatever happens.
 *
 * @param isReady asked again and again until it says so
 * @throws {ServerError} with what it said when it does not become ready; whatever `use` throws
 */
export async function withServer(
  { program, parameters, environment }: ServerCommand,
  isReady: () => Promise<boolean>,
  use: () => Promise<void>,
): Promise<void> {
  const child = spawn(program, parameters, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  child.on('error', (error) => {
    said += error.message;
  });
  try {
    const isUp = await eventually(isReady, (isThere) => isThere || hasEnded(child));
    if (!isUp) throw new ServerError(`${program} did not start: ${lastLines(said)}`);
    await use();
  } finally {
    await end(child);
  }
}

function hasEnded({ exitCode, signalCode, pid }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null || pid === undefined;
}

/** Neither of them has anything to lose. */
async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
