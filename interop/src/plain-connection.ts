// A connection without TLS, for octets that no HTTP client would send.

import { once } from 'node:events';
import { connect } from 'node:net';

/** How long an answer may take, in milliseconds. */
const patienceMs = 20_000;

/** The server does not close the connection. */
export class PlainConnectionError extends Error {
  override readonly name = 'PlainConnectionError';
}

/**
 * Sends octets, and gives what comes until the server closes.
 *
 * @param authority `127.0.0.1:6960`
 * @throws {PlainConnectionError} when it does not close in time
 */
export async function sendPlainOctets(authority: string, octets: string | Uint8Array): Promise<Buffer> {
  const { hostname, port } = new URL(`http://${authority}`);
  const socket = connect({ host: hostname, port: Number(port), timeout: patienceMs });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A server that has answered may close before it has read everything.
  socket.on('error', () => undefined);
  socket.on('timeout', () => socket.destroy(new PlainConnectionError('the server does not close the connection')));
  const closed = once(socket, 'close');
  socket.write(octets);
  await closed;
  if (socket.errored instanceof PlainConnectionError) throw socket.errored;
  return Buffer.concat(chunks);
}
