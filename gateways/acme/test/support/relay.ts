// A wire between a gate and its keep that can be cut and mended: the keep is away for the gate, and for nobody else.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** The wire. */
export type Relay = {
  /** `host:port` for the gate. */
  readonly address: string;
  cut(): Promise<void>;
  mend(): Promise<void>;
};

/** Lays a wire to `host:port`. */
export async function startRelay(target: string): Promise<Relay> {
  const port = Number(target.slice(target.lastIndexOf(':') + 1));
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  const listen = async (on: number): Promise<number> => {
    const made = createServer((socket) => {
      const far = connect(port, '127.0.0.1');
      for (const [one, other] of [
        [socket, far],
        [far, socket],
      ] as const) {
        sockets.add(one);
        one.pipe(other);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          sockets.delete(one);
          other.destroy();
        });
      }
    });
    made.listen(on, '127.0.0.1');
    await once(made, 'listening');
    server = made;
    const address = made.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };
  const own = await listen(0);
  const cut = async (): Promise<void> => {
    const ended = server;
    server = undefined;
    if (ended === undefined) return;
    const closed = once(ended, 'close');
    ended.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    address: `127.0.0.1:${own}`,
    cut,
    mend: async () => {
      if (server === undefined) await listen(own);
    },
  };
}
