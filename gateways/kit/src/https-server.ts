// The gates' HTTPS listener: a hono app behind TLS 1.2 and 1.3 with optional client certificates, with limits on everything a client can make large, slow or many.
// Header and body of an answer leave in one write with an exact Content-Length. It judges no certificate and knows no protocol above HTTP.

import { constants } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { TLSSocket } from 'node:tls';
import { type ListenAddress, listen } from '@gatehouse/runtime/listen';
import type { Logger } from '@gatehouse/runtime/log';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { Hono } from 'hono';
import { type AnswerHeaders, bodyAnswer, type RefusalForm, textRefusal } from './answer.ts';
import { limitConnections } from './connection-limits.ts';
import { drainServer } from './drain.ts';
import type { GateEnvironment } from './exchange.ts';
import { namesHost } from './host-field.ts';
import { OpenExchange } from './open-exchange.ts';
import { refuseOnSocket } from './refusal.ts';
import type { RequestMetrics } from './request-metrics.ts';

/** The server's own certificate and key. */
export type ServerCertificate = {
  /** PEM: own certificate, then the intermediates, without the trust anchor. */
  readonly certificateChain: string;
  /** PEM, PKCS#8. */
  readonly privateKey: string;
};

/** Limits; each has a default that suits a gate on the Internet. */
export type HttpsLimits = {
  /** Open connections of one address (of one /64 for IPv6); 256 unless told. */
  readonly connectionsPerAddress?: number | undefined;
  /** Open connections altogether; 10 000 unless told. */
  readonly connections?: number | undefined;
  /** Time for a TLS handshake; 10 000 unless told. */
  readonly handshakeTimeoutMs?: number | undefined;
  /** Time for a whole request with its body; 30 000 unless told. */
  readonly requestTimeoutMs?: number | undefined;
  /** Time that a connection may be idle; 60 000 unless told. */
  readonly idleTimeoutMs?: number | undefined;
};

/** What {@link startHttpsServer} takes. */
export type HttpsServerOptions = {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Configuration key of the port, for the message when it is taken. */
  readonly setting?: string | undefined;
  readonly app: Hono<GateEnvironment>;
  readonly certificate: ServerCertificate;
  readonly log: Logger;
  readonly metrics?: RequestMetrics | undefined;
  readonly limits?: HttpsLimits | undefined;
  /** How refusals look that are not the app's; a line of text unless told. */
  readonly refusalForm?: RefusalForm | undefined;
};

/** A running listener. */
export type HttpsServer = {
  readonly address: ListenAddress;
  /** New handshakes show `certificate`; connections that stand are not touched. */
  replaceCertificate(certificate: ServerCertificate): void;
  /** Stops listening, lets requests in progress end, then closes all connections; at the latest after `timeoutMs` (8 000 unless told). */
  close(timeoutMs?: number): Promise<void>;
};

// RFC 9325 §4.2: forward secrecy and authenticated encryption only; nothing anonymous.
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** Seconds after which a client with too many connections may come again. */
const retryAfterSeconds = 5;
const headersTimeoutMs = 10_000;
const maximumHeaderOctets = 8_192;

/**
 * Starts the listener.
 *
 * @throws {FatalError} when the address cannot be bound
 */
export async function startHttpsServer(options: HttpsServerOptions): Promise<HttpsServer> {
  const { app, log, metrics, limits = {}, refusalForm = textRefusal } = options;
  const idleTimeoutMs = limits.idleTimeoutMs ?? 60_000;
  const open = new Set<OpenExchange>();
  let isClosing = false;
  const refuse = (status: number, line: string, headers?: AnswerHeaders): Response => {
    const { contentType, body } = refusalForm(status, line);
    return bodyAnswer(status, contentType, body, headers);
  };

  const server = createServer({
    ...secureContextOptions(options.certificate),
    // RFC 7301 §3.2 ends the handshake of a client that offers only what is not here; some offer HTTP/1.0 alone.
    ALPNProtocols: ['http/1.1', 'http/1.0'],
    requestCert: true,
    // Which certificate is good for what is judged for each request, by the gate.
    rejectUnauthorized: false,
    handshakeTimeout: limits.handshakeTimeoutMs ?? 10_000,
    maxHeaderSize: maximumHeaderOctets,
    insecureHTTPParser: false,
    // RFC 9112 §3.2: its absence is refused too, but in our own words.
    requireHostHeader: false,
    headersTimeout: Math.min(headersTimeoutMs, limits.requestTimeoutMs ?? 30_000),
    requestTimeout: limits.requestTimeoutMs ?? 30_000,
    connectionsCheckingInterval: Math.min(1_000, limits.requestTimeoutMs ?? 30_000),
    keepAliveTimeout: idleTimeoutMs,
    noDelay: true,
  });
  server.timeout = idleTimeoutMs;
  server.maxConnections = limits.connections ?? 10_000;
  server.maxRequestsPerSocket = 0;
  const isRefused = limitConnections(server, limits.connectionsPerAddress, metrics);

  const listener = getRequestListener(
    async (request, { outgoing }) => {
      const exchange = exchanges.get(outgoing);
      if (exchange === undefined) return refuse(400, 'bad request');
      if (exchange.isRefused) return refuse(429, 'too many connections', { 'retry-after': String(retryAfterSeconds) });
      if (!namesHost(outgoing.req)) {
        exchange.closeConnection();
        return refuse(400, 'bad request');
      }
      return await app.fetch(request, { exchange });
    },
    {
      // What is left of a body is not drained: the connection is closed instead.
      autoCleanupIncoming: false,
      errorHandler: (error) => {
        if (error instanceof RequestError) return refuse(400, 'bad request');
        // hono answers what handlers throw; only its own failure can arrive here.
        log.error({ err: error }, 'a request could not be handled');
        return refuse(500, 'internal error');
      },
    },
  );
  const serve = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const { socket } = incoming;
    if (!(socket instanceof TLSSocket)) throw new TypeError('an HTTPS server has TLS connections');
    const exchange = new OpenExchange({
      incoming,
      outgoing,
      socket,
      log,
      metrics,
      isRefused: isRefused(socket),
    });
    exchanges.set(outgoing, exchange);
    open.add(exchange);
    if (isClosing || exchange.isRefused) exchange.closeConnection();
    outgoing.once('close', () => open.delete(exchange));
    listener(incoming, outgoing);
  };
  server.on('request', serve);
  // Permission to send the body is given when the body is read, if its declared length is acceptable.
  server.on('checkContinue', serve);
  const established = new WeakSet<object>();
  server.on('secureConnection', (socket) => established.add(socket));
  server.on('tlsClientError', (error, socket) => {
    metrics?.handshakeFailed();
    log.debug({ err: error, address: socket.remoteAddress }, 'TLS handshake failed');
  });
  server.on('clientError', (error, socket) => {
    // node reports failed handshakes here as well; there is nobody to answer to.
    if (!established.has(socket)) {
      socket.destroy();
      return;
    }
    const requests = [...open].filter((exchange) => exchange.socket === socket);
    refuseOnSocket(error, socket, { open: requests, log, form: refusalForm });
  });

  const address = await listen(server, { host: options.host, port: options.port, setting: options.setting });
  return {
    address,
    replaceCertificate: (certificate) => server.setSecureContext(secureContextOptions(certificate)),
    close: async (timeoutMs = 8_000) => {
      isClosing = true;
      await drainServer(server, open, timeoutMs);
    },
  };
}

const exchanges = new WeakMap<object, OpenExchange>();

function secureContextOptions({ certificateChain, privateKey }: ServerCertificate) {
  return {
    cert: certificateChain,
    key: privateKey,
    // No list of acceptable issuers: a device shows the certificate it has, whoever issued it.
    ca: [],
    minVersion: 'TLSv1.2' as const,
    maxVersion: 'TLSv1.3' as const,
    ciphers,
    honorCipherOrder: true,
    // Without tickets, a session cache and renegotiation every connection has one full handshake: tls-unique means what RFC 5929 says.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
  };
}
