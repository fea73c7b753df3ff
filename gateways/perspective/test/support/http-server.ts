// An HTTP server of a test that speaks by hand, octet by octet, so that it can be as wrong as a test needs it. It listens on
// one port of 127.0.0.1, of ::1, or of both.

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import type { ServerIdentity } from './certificates.ts';

/** One request. */
export type HttpRequest = { readonly target: string; readonly host: string | undefined; readonly head: string };

/** Answers with this text, or does to the connection what it likes. */
export type HttpHandler = (request: HttpRequest, socket: Socket) => string | Buffer | undefined;

/** A running server. */
export type HttpServer = { readonly port: number; readonly requests: readonly HttpRequest[] };

/** What {@link startHttpServer} takes besides the handler. */
export type HttpServerOptions = { readonly hosts?: readonly string[]; readonly tls?: ServerIdentity };

/** Starts a server that ends with the test. */
export async function startHttpServer(
  t: TestContext,
  handler: HttpHandler,
  { hosts = ['127.0.0.1'], tls }: HttpServerOptions = {},
): Promise<HttpServer> {
  const requests: HttpRequest[] = [];
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  const serve = (socket: Socket) => {
    let received = '';
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = received.slice(0, end);
      received = received.slice(end + 4);
      const request = { target: head.split(' ')[1] ?? '', host: /^host: *(.*)$/im.exec(head)?.[1], head };
      requests.push(request);
      const answer = handler(request, socket);
      if (answer !== undefined) socket.end(answer);
    });
  };
  let port = 0;
  for (const host of hosts) {
    const server =
      tls === undefined ? createServer(serve) : createTlsServer({ cert: tls.cert, key: keyOf(tls) }, serve);
    server.on('tlsClientError', () => undefined);
    server.listen(port, host);
    await once(server, 'listening');
    const address = server.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
    servers.push(server);
  }
  t.after(() => {
    for (const server of servers) server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port, requests };
}

function keyOf({ key }: ServerIdentity): string {
  return String(key.export({ format: 'pem', type: 'pkcs8' }));
}

/** An answer with a body and its length. */
export function answer(status: number, body = '', headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({ ...headers, 'content-length': `${Buffer.byteLength(body)}` });
  return `HTTP/1.1 ${status} Any\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}

/** A redirect. */
export function redirect(location: string, status = 302): string {
  return answer(status, '', { location });
}
