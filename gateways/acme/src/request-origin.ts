// Who asks, and by which URL: the address of the client and the origin that it used, as the connection says it or, when the
// connection comes from a trusted proxy, as the proxy says it. From anyone else the fields of proxies are ignored.

import { parseIpAddress, parseIpRange } from '@gatehouse/pkix/ip-address';

/** What a request says about where it comes from and where it went. */
export type RequestFacts = {
  /** The other end of the connection. */
  readonly peer: { readonly remoteAddress: string };
  /** Request target, in origin form or in absolute form (RFC 9112 §3.2). */
  readonly target: string;
  /** A field by its lower-case name. */
  header(name: string): string | undefined;
};

/** Address of the client, and the URL that it used: `origin + target`. */
export type RequestOrigin = { readonly address: string; readonly origin: string; readonly target: string };

/** Finds them out. */
export type OriginReader = (facts: RequestFacts) => RequestOrigin;

/** Creates the reader. @param trustedProxies ranges of addresses whose X-Forwarded fields are believed */
export function createOriginReader(trustedProxies: readonly string[]): OriginReader {
  const ranges = trustedProxies.map(parseIpRange);
  const isTrusted = (address: string): boolean => {
    const octets = parseIpAddress(address);
    return ranges.some(
      (range) =>
        octets?.length === range?.address.length &&
        octets?.every((octet, i) => (octet & (range?.mask[i] ?? 0)) === range?.address[i]) === true,
    );
  };
  return (facts) => {
    const { target } = facts;
    const { remoteAddress } = facts.peer;
    const header = (name: string): string | undefined => facts.header(name);
    const absolute = target.startsWith('/') ? null : /^(https?):\/\/([^/?#]+)(\/.*)?$/i.exec(target);
    const path = absolute === null ? target : (absolute[3] ?? '/');
    const host = absolute?.[2] ?? header('host') ?? '';
    if (ranges.length === 0 || !isTrusted(remoteAddress)) {
      return { address: remoteAddress, origin: toOrigin('https', host), target: path };
    }
    const scheme = lastOf(header('x-forwarded-proto')) ?? 'https';
    return {
      address: clientOf(header('x-forwarded-for'), isTrusted) ?? remoteAddress,
      origin: toOrigin(scheme, lastOf(header('x-forwarded-host')) ?? host),
      target: path,
    };
  };
}

// RFC 6454 §4: the default port is left out. Whether such an origin exists is for who compares it with the known ones.
function toOrigin(scheme: string, host: string): string {
  const origin = `${scheme}://${host}`.toLowerCase();
  return origin.startsWith('https:') && origin.endsWith(':443') ? origin.slice(0, -4) : origin;
}

/** Each proxy appends the address that it saw: the last one that is no trusted proxy is the client. */
function clientOf(field: string | undefined, isTrusted: (address: string) => boolean): string | undefined {
  const addresses = field?.split(',').map((part) => part.trim()) ?? [];
  const client = addresses.findLast((address) => !isTrusted(address));
  return client !== undefined && parseIpAddress(client) !== undefined ? client : undefined;
}

function lastOf(field: string | undefined): string | undefined {
  const last = field?.split(',').at(-1)?.trim();
  return last === '' ? undefined : last;
}
