// A TLS server of a test that answers challenges of tls-alpn-01, rightly or not.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { createServer, type TlsOptions } from 'node:tls';
import type { ServerIdentity } from './certificates.ts';

/** A running server, and the server names that it was asked for. */
export type TlsServer = { readonly port: number; readonly servernames: readonly string[] };

/** Starts a server on a loopback address that ends with the test. */
export async function startTlsServer(
  t: TestContext,
  identity: ServerIdentity,
  { host = '127.0.0.1', ...options }: TlsOptions & { readonly host?: string } = {},
): Promise<TlsServer> {
  const servernames: string[] = [];
  const sockets = new Set<Socket>();
  const key = String(identity.key.export({ format: 'pem', type: 'pkcs8' }));
  const server = createServer({
    cert: identity.cert,
    key,
    ALPNProtocols: ['acme-tls/1'],
    SNICallback: (servername, done) => {
      servernames.push(servername);
      done(null);
    },
    ...options,
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.on('secureConnection', (socket) => socket.on('error', () => undefined));
  server.on('tlsClientError', () => undefined);
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, servernames };
}
