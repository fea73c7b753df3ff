// A client for tests that sees what really arrives: each read as it comes, and the end of the connection.

import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';

/** A connection of a test. */
export type RawClient<Transport extends Socket = TLSSocket> = {
  readonly socket: Transport;
  /** What each read brought, in order. */
  readonly reads: readonly Buffer[];
  send(text: string | Uint8Array): void;
  /** Waits for the next read that nobody has waited for yet. */
  read(): Promise<string>;
  /** Waits for the end of the connection. @returns everything that arrived */
  closed(): Promise<string>;
  destroy(): void;
};

/** Connects to a listener on loopback, over TLS. */
export async function connectRaw(port: number, options: ConnectionOptions = {}): Promise<RawClient> {
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false, ...options });
  return await observe(socket, 'secureConnect');
}

/** Connects to a listener on loopback, without TLS. */
export async function connectPlain(port: number): Promise<RawClient<Socket>> {
  return await observe(connectTcp({ host: '127.0.0.1', port }), 'connect');
}

async function observe<Transport extends Socket>(socket: Transport, opened: string): Promise<RawClient<Transport>> {
  const reads: Buffer[] = [];
  const waiting: ((text: string) => void)[] = [];
  let delivered = 0;
  const isOver = Promise.withResolvers<void>();
  const deliver = (): void => {
    while (waiting.length > 0 && delivered < reads.length)
      waiting.shift()?.((reads[delivered++] ?? Buffer.alloc(0)).toString('latin1'));
  };
  socket.on('data', (data: Buffer) => {
    reads.push(data);
    deliver();
  });
  socket.on('close', () => isOver.resolve());
  socket.on('error', () => {});
  await Promise.race([
    once(socket, opened),
    once(socket, 'close').then(() => {
      throw new Error('the connection was refused');
    }),
  ]);
  return {
    socket,
    reads,
    send: (text) => {
      socket.write(text);
    },
    read: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        deliver();
      }),
    closed: async () => {
      await isOver.promise;
      return Buffer.concat(reads).toString('latin1');
    },
    destroy: () => socket.destroy(),
  };
}

/** A request without a body. */
export function get(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
}

/** A request with a body. */
export function post(path: string, body: string, headers = `Content-Length: ${body.length}\r\n`): string {
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n${body}`;
}

/** Splits an answer. Header names are in lower case. */
export function parseAnswer(text: string): {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly head: string;
  readonly body: string;
} {
  const end = text.indexOf('\r\n\r\n');
  const head = text.slice(0, end + 4);
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  return { status: Number(statusLine.split(' ')[1]), headers, head, body: text.slice(end + 4) };
}
