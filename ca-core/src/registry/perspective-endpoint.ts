// Where a perspective says that it is reached, and with what program. Gates dial what stands here, so it must be a host
// and a port and nothing else that a gRPC client could take for an address.

import { isIPv4, isIPv6 } from 'node:net';
import { CoreError } from '@gatehouse/proto/core-error';

const hostName = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?)*$/i;

/** Schemes of gRPC's naming: `unix:1` would be a socket in the file system of whoever dials it. */
const schemes: ReadonlySet<string> = new Set(['dns', 'ip', 'ipv4', 'ipv6', 'unix', 'unix-abstract', 'vsock', 'xds']);

/** No machine is reached at these. */
const unspecified: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Refuses what is not `host:port`. Throws CoreError `malformed`. */
export function checkPerspectiveAddress(address: string): void {
  const [, bracketed, host = bracketed, port] =
    /^(?:\[([0-9a-fA-F:.]{2,45})\]|([^:[\]]{1,253})):([1-9]\d{0,4})$/.exec(address) ?? [];
  const isHost =
    bracketed === undefined
      ? host !== undefined && (isIPv4(host) || (hostName.test(host) && !/^[\d.]+$/.test(host)))
      : isIPv6(bracketed);
  if (
    isHost &&
    host !== undefined &&
    !schemes.has(host.toLowerCase()) &&
    !unspecified.has(host) &&
    Number(port) <= 65_535
  ) {
    return;
  }
  throw new CoreError('malformed', 'the address of a perspective must be host:port, as gates can reach it');
}

/** Refuses a version that no table could show. Throws CoreError `malformed`. */
export function checkBuild(build: string): void {
  if (/^[\x20-\x7e]{0,64}$/.test(build)) return;
  throw new CoreError('malformed', 'the version of the program must be up to 64 printable ASCII characters');
}
