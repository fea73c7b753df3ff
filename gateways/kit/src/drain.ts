// Ends a listener in good order: no new connections, answers under way are finished, idle connections are closed, and at
// the latest after some seconds all of them.

import type { Server } from 'node:http';

/** A request that is being answered. */
export type Drainable = {
  /** The connection ends after the answer. */
  closeConnection(): void;
};

/** Stops listening and resolves when every connection is closed. @param timeoutMs after which connections are cut */
export async function drainServer(server: Server, open: Iterable<Drainable>, timeoutMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  for (const request of open) request.closeConnection();
  server.closeIdleConnections();
  const deadline = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await promise;
  clearTimeout(deadline);
}
