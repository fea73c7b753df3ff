/**
 * The door that suites knock at: it is open as soon as the program starts, and connections wait in it until the server behind
 * is up. Suites give `pebble`, which needs no second to start, a few seconds; a keep that makes its keys first, on a machine
 * that compiles beside, can need more.
 */
import { connect, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { type ListenAddress, listen } from '@gatehouse/runtime/listen';

/** Where servers listen that have a door before them. */
export const behindFront: ListenAddress = { host: '127.0.0.1', port: 0 };

/** An open door. */
export type Front = {
  readonly address: ListenAddress;
  /** Lets those who wait, and all who come, through to the server at `address`. */
  lead(address: ListenAddress): void;
  /** Closes the door, and cuts who is still there. */
  close(): Promise<void>;
};

/**
 * Opens a door. The unspecified address of IPv4 stands for every address of the machine, those of IPv6 too, as it does in
 * Go: `localhost` is either.
 *
 * @throws {FatalError} when the address cannot be bound
 */
export async function openFront(at: ListenAddress, setting: string): Promise<Front> {
  const { promise: inside, resolve } = Promise.withResolvers<ListenAddress>();
  const open = new Set<Socket>();
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (outside) => {
    open.add(outside);
    outside.once('close', () => open.delete(outside));
    outside.on('error', () => outside.destroy());
    inside.then((address) => {
      if (outside.destroyed) return;
      const through = connect({ ...address, allowHalfOpen: true, noDelay: true });
      pipeline(outside, through, outside, () => outside.destroy());
    });
  });
  const address = await listen(server, { ...at, host: at.host === '0.0.0.0' ? '' : at.host, setting });
  return {
    address,
    lead: resolve,
    close: async () => {
      const { promise: closed, resolve: close } = Promise.withResolvers<void>();
      server.close(() => close());
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
