// A listener for plain HTTP without a framework, for gates that publish what anybody may see and answer from memory. A
// handler writes to node's own response; this file sees to the limits on everything a client can make large, slow or many,
// and to an orderly end. It never redirects: who asks for a status may not be able to check a certificate before it has it.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type ListenAddress, listen } from '@gatehouse/runtime/listen';
import type { Logger } from '@gatehouse/runtime/log';
import { limitConnections } from './connection-limits.ts';
import { drainServer } from './drain.ts';
import { namesHost } from './host-field.ts';
import { type OpenRequest, refuseOnSocket } from './refusal.ts';
import { RequestBody } from './request-body.ts';
import type { ConnectionMetrics } from './request-metrics.ts';

/**
 * Answers a request, now or later. What it throws becomes a 500.
 *
 * @param body undefined when the request has none
 */
export type PlainHandler = (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  body: RequestBody | undefined,
) => void | Promise<void>;

/** Limits; each has a default that suits a gate on the Internet. */
export type PlainLimits = {
  /** Open connections of one address (of one /64 for IPv6); 256 unless told. */
  readonly connectionsPerAddress?: number | undefined;
  /** Open connections altogether; 10 000 unless told. */
  readonly connections?: number | undefined;
  /** Time for a whole request with its body; 30 000 unless told. */
  readonly requestTimeoutMs?: number | undefined;
  /** Time that a connection may be idle; 60 000 unless told. */
  readonly idleTimeoutMs?: number | undefined;
};

/** What {@link startPlainServer} takes. */
export type PlainServerOptions = {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Configuration key of the port, for the message when it is taken. */
  readonly setting?: string | undefined;
  readonly handler: PlainHandler;
  readonly log: Logger;
  readonly metrics?: ConnectionMetrics | undefined;
  readonly limits?: PlainLimits | undefined;
};

/** A running listener. */
export type PlainServer = {
  readonly address: ListenAddress;
  /** Stops listening, lets requests in progress end, then closes all connections; at the latest after `timeoutMs` (8 000 unless told). */
  close(timeoutMs?: number): Promise<void>;
};

type OpenAnswer = OpenRequest & { readonly socket: Socket; closeConnection(): void };

const headersTimeoutMs = 10_000;
const maximumHeaderOctets = 8_192;
const retryAfterSeconds = 5;

/**
 * Starts the listener.
 *
 * @throws {FatalError} when the address cannot be bound
 */
export async function startPlainServer(options: PlainServerOptions): Promise<PlainServer> {
  const { handler, log, metrics, limits = {} } = options;
  const requestTimeoutMs = limits.requestTimeoutMs ?? 30_000;
  const idleTimeoutMs = limits.idleTimeoutMs ?? 60_000;
  /** Requests whose answers are under way, or whose bodies are. */
  const open = new Set<OpenAnswer>();
  let isClosing = false;

  const server = createServer({
    maxHeaderSize: maximumHeaderOctets,
    insecureHTTPParser: false,
    // RFC 9112 §3.2: its absence is refused too, but in our own words.
    requireHostHeader: false,
    headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(1_000, requestTimeoutMs),
    keepAliveTimeout: idleTimeoutMs,
    noDelay: true,
    // Most requests have no body; their streams need not be set up.
    optimizeEmptyRequests: true,
  });
  server.timeout = idleTimeoutMs;
  server.maxConnections = limits.connections ?? 10_000;
  server.maxRequestsPerSocket = 0;
  const isRefused = limitConnections(server, limits.connectionsPerAddress, metrics);

  const track = (answer: OpenAnswer, outgoing: ServerResponse): void => {
    open.add(answer);
    outgoing.once('close', () => open.delete(answer));
  };
  const fail = (error: unknown, outgoing: ServerResponse): void => {
    log.error({ err: error }, 'a request could not be handled');
    if (outgoing.headersSent) outgoing.destroy();
    else answerLine(outgoing, 500, 'internal error');
  };
  const serve = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const body = hasBody(incoming) ? new RequestBody(incoming, outgoing) : undefined;
    if (body !== undefined) track(body, outgoing);
    if (isClosing) outgoing.shouldKeepAlive = false;
    if (isRefused(incoming.socket)) {
      outgoing.shouldKeepAlive = false;
      answerLine(outgoing, 429, 'too many connections', ['Retry-After', String(retryAfterSeconds)]);
      return;
    }
    if (!namesHost(incoming)) {
      body?.closeConnection();
      outgoing.shouldKeepAlive = false;
      answerLine(outgoing, 400, 'bad request');
      return;
    }
    try {
      const answering = handler(incoming, outgoing, body);
      if (answering !== undefined) answering.catch((error: unknown) => fail(error, outgoing));
    } catch (error) {
      fail(error, outgoing);
    }
    if (!outgoing.writableEnded && body === undefined) track(openAnswer(incoming.socket, outgoing), outgoing);
  };
  server.on('request', serve);
  // Permission to send the body is given when the body is read, if its declared length is acceptable.
  server.on('checkContinue', serve);
  server.on('clientError', (error, socket) => {
    const requests = [...open].filter((answer) => answer.socket === socket);
    refuseOnSocket(error, socket, { open: requests, log });
  });

  const address = await listen(server, { host: options.host, port: options.port, setting: options.setting });
  return {
    address,
    close: async (timeoutMs = 8_000) => {
      isClosing = true;
      await drainServer(server, open, timeoutMs);
    },
  };
}

/** Writes an answer of one line. @param line has no line end @param headers names and values in turn */
export function answerLine(
  outgoing: ServerResponse,
  status: number,
  line: string,
  headers: readonly string[] = [],
): void {
  const text = `${line}\n`;
  outgoing.writeHead(status, [
    'Content-Type',
    'text/plain; charset=utf-8',
    'Content-Length',
    String(Buffer.byteLength(text)),
    ...headers,
  ]);
  outgoing.end(text);
}

// RFC 9112 §6.3: without either field a request has no body.
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

function openAnswer(socket: Socket, outgoing: ServerResponse): OpenAnswer {
  return {
    socket,
    isComplete: true,
    failBody: () => {},
    closeConnection: () => {
      if (!outgoing.headersSent) outgoing.shouldKeepAlive = false;
    },
  };
}
