// Ports to which a process comes back after it was killed. They are below the range from which the system takes the ports
// of outgoing connections: whoever tries to connect meanwhile must not be given that very port.

import { createServer } from 'node:net';

const lowest = 20_000;
const highest = 32_000;

/** A port on 127.0.0.1 that nobody has. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once('error', () => resolve(false));
  server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  return await promise;
}
