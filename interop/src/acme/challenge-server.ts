// The world in which names are validated: pebble-challtestsrv answers DNS for every name, and HTTP and TLS for those whose
// challenges it was told. Clients that answer challenges themselves listen on addresses of their own beside it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { CommandError } from '../command.ts';
import { eventually } from '../patience.ts';

/** A running server. */
export type ChallengeServer = {
  /** Port at which names answer HTTP, and TLS. */
  readonly httpPort: number;
  readonly tlsPort: number;
  /** `127.0.0.1:8053`. */
  readonly resolver: string;
  /** URL of what {@link ChallengeServer.tell} talks to, for hooks of clients. */
  readonly management: string;
  /** Changes the world: `add-http01`, `set-txt`, `add-a`, `add-caa`, … with its JSON. @throws {CommandError} */
  tell(path: string, body: Readonly<Record<string, unknown>>): Promise<void>;
  /** A loopback address that no other operation listens on. */
  ownAddress(): string;
  stop(): Promise<void>;
};

/** Debian package pebble. */
export const challengeServerProgram = 'pebble-challtestsrv';

/** Starts one on ports that the system chooses. @throws {CommandError} when it does not answer */
export async function startChallengeServer(): Promise<ChallengeServer> {
  const [management, dns, http, tls] = await freePorts();
  const child = spawn(
    challengeServerProgram,
    [
      ...['-management', `127.0.0.1:${management}`, '-dns01', `127.0.0.1:${dns}`],
      ...['-http01', `127.0.0.1:${http}`, '-https01', '', '-tlsalpn01', `127.0.0.1:${tls}`],
      ...['-defaultIPv4', '127.0.0.1', '-defaultIPv6', ''],
    ],
    { stdio: 'ignore' },
  );
  const failure = new Promise<never>((_resolve, reject) => {
    child.once('error', (cause) => reject(new CommandError(`${challengeServerProgram}: ${cause.message}`, { cause })));
  });
  // Whoever stops it no longer waits for it.
  failure.catch(() => undefined);
  const url = `http://127.0.0.1:${management}`;
  const isThere = await Promise.race([eventually(() => answers(url), Boolean), failure]);
  if (!isThere) throw new CommandError(`${challengeServerProgram} does not answer`);
  let addresses = 1;
  return {
    httpPort: http,
    tlsPort: tls,
    resolver: `127.0.0.1:${dns}`,
    management: url,
    tell: async (path, body) => {
      const answer = await fetch(`${url}/${path}`, { method: 'POST', body: JSON.stringify(body) });
      if (!answer.ok) throw new CommandError(`${challengeServerProgram} refused ${path} with ${answer.status}`);
    },
    ownAddress: () => `127.0.0.${++addresses}`,
    stop: () => stop(child),
  };
}

async function answers(url: string): Promise<boolean> {
  return await fetch(`${url}/clear-request-history`, {
    method: 'POST',
    body: '{"host":"none.invalid","type":"http"}',
  }).then(
    () => true,
    () => false,
  );
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

type Ports = readonly [management: number, dns: number, http: number, tls: number];

/** Ports that are free now, on every loopback address that a client may listen on. */
async function freePorts(): Promise<Ports> {
  const servers = [createServer(), createServer(), createServer(), createServer()] as const;
  const ports = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, '0.0.0.0');
      await once(server, 'listening');
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : 0;
    }),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  const [management = 0, dns = 0, http = 0, tls = 0] = ports;
  return [management, dns, http, tls];
}
