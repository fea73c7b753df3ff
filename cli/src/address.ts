/** Addresses of listeners, as they are bound and as they are reached from this machine. */

/** The host and the port of `host:port`; an IPv6 host stands in brackets. */
export function splitAddress(address: string): { readonly host: string; readonly port: string } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: address.slice(colon + 1) };
}

/** The address at which a listener is reached that listens on all addresses of this machine. */
export function reachableAddress(address: string): string {
  const { host, port } = splitAddress(address);
  switch (host) {
    case '0.0.0.0':
      return `127.0.0.1:${port}`;
    case '[::]':
      return `[::1]:${port}`;
    default:
      return address;
  }
}

/** `host:port` with brackets around an IPv6 host, RFC 3986 §3.2.2. */
export function bracketAddress(address: string): string {
  const { host, port } = splitAddress(address);
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : address;
}
