// Binding a listener, with the two failures that operators meet (port taken, port not allowed) as one clear message.
// It must never fall back to another port by itself: whoever asked for 7030 and got 7031 has a gate that nobody finds.

import type { Server } from 'node:net';
import { FatalError } from './fatal.ts';

/** Where a listener is bound. */
export type ListenAddress = { readonly host: string; readonly port: number };

/** Where to listen; `setting` is the configuration key of the port, named in the message ('est.listen.port'). */
export type ListenOptions = ListenAddress & { readonly setting?: string | undefined };

/**
 * Binds a server (net, tls, http, https) and waits until it listens.
 *
 * @param options port 0 takes any free port
 * @returns the address that was bound
 * @throws {FatalError} when the address cannot be bound
 */
export async function listen(server: Server, options: ListenOptions): Promise<ListenAddress> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host: options.host, port: options.port }, resolve);
  try {
    await promise;
  } catch (error) {
    throw listenFailure(error, options);
  } finally {
    server.removeListener('error', reject);
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a TCP listener has an address and a port');
  return { host: address.address, port: address.port };
}

/** Turns the error of a failed bind into a {@link FatalError} that says what to do. */
export function listenFailure(cause: unknown, options: ListenOptions): FatalError {
  const where = `${options.host}:${options.port}`;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const setting = options.setting ?? 'another port';
  switch (code) {
    case 'EADDRINUSE':
      return new FatalError(`cannot listen on ${where}: the port is taken by another process`, {
        hint: `stop that process (ss -ltnp shows it) or set ${setting}`,
        cause,
      });
    case 'EACCES':
      return new FatalError(`cannot listen on ${where}: ports below 1024 need a privilege this process does not have`, {
        hint: `set ${setting} to 1024 or above, or grant CAP_NET_BIND_SERVICE`,
        cause,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new FatalError(`cannot listen on ${where}: this machine does not have that address`, { cause });
    default:
      return new FatalError(`cannot listen on ${where}: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      });
  }
}
