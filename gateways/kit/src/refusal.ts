// Answers what is no request: broken framing, headers above the limit, a request that does not come. Always closes the connection.
// It must not answer while another answer is under way on the same connection, or the client would take one for the other.

import type { Duplex } from 'node:stream';
import type { Logger } from '@gatehouse/runtime/log';
import { type RefusalForm, textRefusal } from './answer.ts';
import { BodyError } from './body.ts';

type Refusal = { readonly status: number; readonly reason: string; readonly line: string };

const badRequest: Refusal = { status: 400, reason: 'Bad Request', line: 'bad request' };

/** By the code of node's error; whatever else the parser finds is a bad request. RFC 9112 §2.2, §6.3. */
const refusals: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: { ...badRequest, line: 'the header is too large' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, reason: 'Request Timeout', line: 'the request took too long' },
};

/** A request that is being answered. */
export type OpenRequest = {
  /** Whether all of it has arrived, so that what comes now is not its body. */
  readonly isComplete: boolean;
  /** Its body is broken: whoever reads it hears of it, and answers. */
  failBody(error: BodyError): void;
};

/** What {@link refuseOnSocket} needs beside the socket. */
export type SocketRefusalOptions = {
  /** The requests of this connection that are being answered. */
  readonly open: readonly OpenRequest[];
  readonly log: Logger;
  /** How the refusal looks; a line of text unless told. */
  readonly form?: RefusalForm | undefined;
};

/** Refuses what the parser could not read, or what did not come in time. */
export function refuseOnSocket(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  { open, log, form = textRefusal }: SocketRefusalOptions,
): void {
  const code = error.code ?? '';
  if (code === 'ECONNRESET' || code === 'EPIPE' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, reason, line } = refusals[code] ?? badRequest;
  const [last] = open.slice(-1);
  if (last !== undefined && !last.isComplete) {
    // The parser would find the same fault again with every octet that comes.
    socket.pause();
    last.failBody(new BodyError(status === 408 ? 'too-slow' : 'malformed', line));
    return;
  }
  if (last !== undefined) {
    socket.destroy();
    return;
  }
  log.info({ status, reason: code }, 'request refused');
  const { contentType, body } = form(status, line);
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
