/**
 * What answers http-01 for the load: a web server that knows the thumbprint of each account by the first label of the name
 * and makes the key authorization of any token (RFC 8555 §8.1), and Debian's challenge server for the addresses of names.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { freePort } from '../free-port.ts';

/** A running responder. */
export type Responder = {
  readonly httpPort: number;
  /** `host:port` of the DNS server. */
  readonly resolver: string;
  /** Whose names begin with `label-`. */
  know(label: string, thumbprint: string): void;
  stop(): Promise<void>;
};

/** Starts it. */
export async function startResponder(): Promise<Responder> {
  const thumbprints = new Map<string, string>();
  const server = createServer((request, response) => {
    const [label = ''] = (request.headers.host ?? '').split('-', 1);
    const token = (request.url ?? '').slice('/.well-known/acme-challenge/'.length);
    response.end(`${token}.${thumbprints.get(label) ?? ''}`);
  });
  server.keepAliveTimeout = 1;
  const httpPort = await listen(server);
  const dns = await freePort();
  const names = spawn(
    'pebble-challtestsrv',
    [
      ...['-management', '', '-dns01', `127.0.0.1:${dns}`, '-http01', '', '-https01', '', '-tlsalpn01', ''],
      ...['-defaultIPv4', '127.0.0.1', '-defaultIPv6', ''],
    ],
    { stdio: 'ignore' },
  );
  return {
    httpPort,
    resolver: `127.0.0.1:${dns}`,
    know: (label, thumbprint) => void thumbprints.set(label, thumbprint),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      const ended = once(names, 'exit');
      names.kill('SIGTERM');
      await ended;
    },
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('there is no port');
  return address.port;
}
