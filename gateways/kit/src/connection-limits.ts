// Counts the connections of each address, so that one client cannot take all of them.
// Above the limit connections are still answered (429), above twice the limit they are closed unread; memory is bounded by the open connections.

import type { Server, Socket } from 'node:net';
import { normalizeAddress } from './peer.ts';
import type { ConnectionMetrics } from './request-metrics.ts';

/** Counts open connections by address. */
export class ConnectionLimits {
  readonly #limit: number;
  readonly #open = new Map<string, number>();

  /** @param limit connections of one address that are served */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A connection opens. @returns what to do with it */
  open(address: string): 'serve' | 'refuse' | 'drop' {
    const key = addressKey(address);
    const count = (this.#open.get(key) ?? 0) + 1;
    if (count > 2 * this.#limit) return 'drop';
    this.#open.set(key, count);
    return count > this.#limit ? 'refuse' : 'serve';
  }

  /** A connection that was not dropped has closed. */
  close(address: string): void {
    const key = addressKey(address);
    const count = (this.#open.get(key) ?? 0) - 1;
    if (count > 0) this.#open.set(key, count);
    else this.#open.delete(key);
  }
}

const defaultLimit = 256;

/**
 * Applies a limit to the connections of a server.
 *
 * @returns whether a connection is one too many, so that its requests are to be refused
 */
export function limitConnections(
  server: Server,
  connectionsPerAddress: number | undefined,
  metrics: ConnectionMetrics | undefined,
): (socket: Socket) => boolean {
  const perAddress = new ConnectionLimits(connectionsPerAddress ?? defaultLimit);
  const refused = new Set<string>();
  server.on('connection', (socket: Socket) => {
    const address = normalizeAddress(socket.remoteAddress);
    const decision = perAddress.open(address);
    if (decision === 'drop') {
      socket.destroy();
      metrics?.connectionRefused('address');
      return;
    }
    const key = socketKey(socket);
    if (decision === 'refuse') {
      refused.add(key);
      metrics?.connectionRefused('address');
    }
    socket.once('close', () => {
      perAddress.close(address);
      refused.delete(key);
    });
  });
  // The connection that a request has may be another object than the one that was accepted: TLS stands between them.
  return (socket) => refused.size > 0 && refused.has(socketKey(socket));
}

function socketKey(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

/** What counts as one client: an IPv4 address, or the /64 of an IPv6 address, of which a client has all the addresses. */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  const all = [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail ?? '').split(':')];
  return `${all.slice(0, 4).join(':')}::/64`;
}
