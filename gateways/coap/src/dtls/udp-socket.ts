// The UDP socket of a DTLS server. Addresses go in and out as the system writes them, without any look-up, so that
// datagrams leave in the order they are sent in. Errors of single datagrams (ICMP) are told and counted; they must never end anything:
// anybody can cause them.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { type ListenAddress, type ListenOptions, listenFailure } from '@gatehouse/runtime/listen';

/** What a socket tells. */
export type UdpEvents = {
  datagram(datagram: Buffer, from: RemoteInfo): void;
  /** Of the socket, or of a datagram that could not be sent. */
  error(error: Error): void;
};

/** A bound socket. */
export type UdpSocket = {
  readonly address: ListenAddress;
  /** @param address as {@link UdpEvents.datagram} had it */
  send(datagram: Uint8Array, port: number, address: string): void;
  /** Closes it when everything has left, or after a second. */
  close(): Promise<void>;
};

/** Room for a burst of handshakes; the system gives less where net.core.rmem_max says so. */
const bufferOctets = 4 * 1024 * 1024;
const flushMs = 1_000;

/**
 * Binds a socket.
 *
 * @throws {FatalError} when the address cannot be bound
 */
export async function openUdpSocket(options: ListenOptions, events: UdpEvents): Promise<UdpSocket> {
  const host = await resolve(options);
  const socket = createSocket({
    type: host.includes(':') ? 'udp6' : 'udp4',
    lookup: (address, _options, done) => done(null, address, isIP(address)),
  });
  try {
    // The look-up answers at once, and so may the bind.
    const listening = once(socket, 'listening');
    socket.bind({ address: host, port: options.port, exclusive: true });
    await listening;
  } catch (error) {
    socket.close();
    throw listenFailure(error, options);
  }
  raiseBuffers(socket);
  socket.on('error', events.error);
  socket.on('message', events.datagram);

  let underway = 0;
  let onFlushed: (() => void) | undefined;
  let isClosed = false;
  const sent = (error: Error | null): void => {
    underway--;
    if (error !== null) events.error(error);
    if (underway === 0) onFlushed?.();
  };
  const bound = socket.address();
  return {
    address: { host: bound.address, port: bound.port },
    send: (datagram, port, address) => {
      if (isClosed) return;
      underway++;
      try {
        socket.send(datagram, port, address, sent);
      } catch (error) {
        // Node.js throws for what it takes for a mistake of its caller, such as port 0; here the peer wrote it.
        sent(error instanceof Error ? error : new Error(String(error)));
      }
    },
    close: async () => {
      isClosed = true;
      socket.off('message', events.datagram);
      if (underway > 0) {
        const { promise, resolve: flushed } = Promise.withResolvers<void>();
        onFlushed = flushed;
        const limit = setTimeout(flushed, flushMs);
        await promise;
        clearTimeout(limit);
      }
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

async function resolve(options: ListenOptions): Promise<string> {
  if (isIP(options.host.split('%', 1)[0] ?? '') !== 0) return options.host;
  try {
    return (await lookup(options.host)).address;
  } catch (error) {
    throw listenFailure(error, options);
  }
}

function raiseBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(bufferOctets);
    socket.setSendBufferSize(bufferOctets);
  } catch {
    // What the system gives is enough for most.
  }
}
