// A listener for gRPC that lets in verified callers only: TLS 1.3 with a client certificate of the internal service CA. The
// handshake is done here rather than inside grpc-js so that a caller is read from its certificate once per connection and not
// once per call, so that the own certificate can be swapped, and so that a caller that is shut out loses its open
// connections at once. It must never hand on a connection whose certificate was not verified.

import { createServer, type TLSSocket } from 'node:tls';
import { type Server, ServerCredentials } from '@grpc/grpc-js';
import type { Clock } from './clock.ts';
import { type ListenAddress, listen } from './listen.ts';
import type { Logger } from './log.ts';
import { limitUnverified, mostUnverified } from './unverified-connections.ts';

/** Own server certificate and its key, PEM. */
export type ServerIdentity = { readonly certificate: string; readonly key: string };

/** What {@link listenForCallers} takes. */
export type GrpcListenerOptions<Caller extends { readonly uri: string }> = {
  readonly server: Server;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Configuration key of the port, for the message when it is taken. */
  readonly setting: string;
  readonly identity: ServerIdentity;
  /** Certificates of the service CA, PEM. */
  readonly clientAnchors: string;
  /** Who a connection is, by its verified end-entity certificate (DER). What it throws ends the connection. */
  readonly identifyCaller: (certificate: Uint8Array) => Caller;
  /** Connections at once, of all callers together. */
  readonly maximumConnections: number;
  readonly clock: Clock;
  readonly log: Logger;
};

/** A running listener. */
export type GrpcListener<Caller> = {
  readonly address: ListenAddress;
  /** The caller behind a call's `getPeer()`, while its connection and its certificate live. */
  callerOf(peer: string): Caller | undefined;
  /** Closes every connection of the caller with this URI. */
  disconnect(uri: string): void;
  /** New handshakes use `identity`, and believe `clientAnchors` where they are told; open connections stay. */
  replaceIdentity(identity: ServerIdentity, clientAnchors?: string): void;
  /** Stops accepting, and ends when the calls under way are answered and their connections closed, at the latest after `graceMs`. */
  close(graceMs: number): Promise<void>;
};

type Connection<Caller> = { readonly caller: Caller; readonly socket: TLSSocket; readonly endsAt: Date };

/** Long enough for a busy device across the world, short enough that idle sockets cannot fill the table. */
const handshakeTimeoutMs = 10_000;

/** Starts to accept callers. Throws FatalError when the address cannot be had. */
export async function listenForCallers<Caller extends { readonly uri: string }>(
  options: GrpcListenerOptions<Caller>,
): Promise<GrpcListener<Caller>> {
  const connections = new Map<string, Connection<Caller>>();
  const drained = Promise.withResolvers<void>();
  let isClosing = false;
  const noteClosed = (): void => {
    if (isClosing && connections.size === 0) drained.resolve();
  };
  const injector = options.server.createConnectionInjector(ServerCredentials.createInsecure());

  const tlsServer = createServer({
    cert: options.identity.certificate,
    key: options.identity.key,
    ca: options.clientAnchors,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['h2'],
    handshakeTimeout: handshakeTimeoutMs,
    noDelay: true,
  });
  tlsServer.maxConnections = options.maximumConnections + mostUnverified;
  const unverified = limitUnverified(tlsServer, (peer) =>
    options.log.warn({ peer }, 'refused a connection: too many that have not said who they are'),
  );

  tlsServer.on('secureConnection', (socket) => {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    unverified.verified(peer);
    try {
      const certificate = socket.getPeerX509Certificate();
      if (!socket.authorized || certificate === undefined) throw new Error('no verified client certificate');
      if (connections.size >= options.maximumConnections) throw new Error('too many connections');
      // Two live connections with one remote address would make `callerOf` ambiguous.
      if (connections.has(peer)) throw new Error('remote address already connected');
      connections.set(peer, {
        caller: options.identifyCaller(certificate.raw),
        socket,
        endsAt: certificate.validToDate,
      });
    } catch (error) {
      options.log.warn({ peer, err: error }, 'refused a connection');
      socket.destroy();
      return;
    }
    socket.on('close', () => {
      connections.delete(peer);
      noteClosed();
    });
    socket.on('error', (error) => options.log.debug({ peer, err: error }, 'connection failed'));
    injector.injectConnection(socket);
  });
  tlsServer.on('tlsClientError', (error, socket) => {
    options.log.warn({ peer: socket.remoteAddress, reason: error.message }, 'refused a TLS handshake');
  });

  const address = await listen(tlsServer, {
    host: options.host,
    port: options.port,
    setting: options.setting,
  });

  return {
    address,
    callerOf(peer) {
      const connection = connections.get(peer);
      // A connection may outlive the credential that opened it; what it may do does not.
      return connection === undefined || connection.endsAt <= options.clock.now() ? undefined : connection.caller;
    },
    disconnect(uri) {
      for (const { caller, socket } of connections.values()) if (caller.uri === uri) socket.destroy();
    },
    replaceIdentity(identity, clientAnchors = options.clientAnchors) {
      tlsServer.setSecureContext({
        cert: identity.certificate,
        key: identity.key,
        ca: clientAnchors,
        minVersion: 'TLSv1.3',
      });
    },
    async close(graceMs) {
      isClosing = true;
      tlsServer.close();
      // GOAWAY: callers begin nothing new, and what they have begun is answered. A process that did not wait for it would
      // record enrollments whose answers never leave.
      injector.drain(graceMs);
      const deadline = setTimeout(drained.resolve, graceMs);
      noteClosed();
      await drained.promise;
      clearTimeout(deadline);
      for (const { socket } of connections.values()) socket.destroy();
    },
  };
}
