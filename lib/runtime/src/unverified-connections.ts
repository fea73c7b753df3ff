// Connections that have not said who they are yet. They have places of their own, few for each address, so that whoever
// opens many and says nothing takes none of those that verified callers have, and none of everybody's.

import type { Server, Socket } from 'node:net';

/** At once, of one address (of a /64 for IPv6), and of all. Callers are machines of ours: each opens a few. */
const mostPerAddress = 32;

/** Places for connections under handshake. */
export const mostUnverified = 512;

/** Keeps count of them for a TLS server. */
export type UnverifiedConnections = {
  /** The handshake of this connection (`address:port`) is done. */
  verified(peer: string): void;
};

/** Closes, unread, what is one too many. @param onRefused told of the address */
export function limitUnverified(server: Server, onRefused: (address: string) => void): UnverifiedConnections {
  const networks = new Map<string, string>();
  const counts = new Map<string, number>();
  const forget = (peer: string): void => {
    const network = networks.get(peer);
    if (network === undefined) return;
    networks.delete(peer);
    const left = (counts.get(network) ?? 0) - 1;
    if (left > 0) counts.set(network, left);
    else counts.delete(network);
  };
  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '', remotePort } = socket;
    const network = networkOf(remoteAddress);
    const count = counts.get(network) ?? 0;
    if (count >= mostPerAddress || networks.size >= mostUnverified) {
      socket.destroy();
      onRefused(remoteAddress);
      return;
    }
    const peer = `${remoteAddress}:${remotePort}`;
    networks.set(peer, network);
    counts.set(network, count + 1);
    socket.once('close', () => forget(peer));
  });
  return { verified: forget };
}

/** An IPv4 address itself, also where it is written as IPv6; of an IPv6 address its first 64 bits. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  if (address.startsWith('::ffff:') && address.includes('.')) return address.slice(7);
  const [head = ''] = address.split('::', 1);
  return head.split(':').slice(0, 4).join(':');
}
