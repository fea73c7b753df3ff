// Which resolver is asked for which name. There are only those of the configuration: none of the machine's own settings,
// no hosts file. A zone may have resolvers of its own (split horizon); what they say is never mixed with others'.
import { isIP } from 'node:net';
import { parseIpAddress } from '@gatehouse/pkix/ip-address';

/** A recursive resolver. */
export type Upstream = {
  readonly host: string;
  readonly port: number;
  /** As statements name it: `host:port`. */
  readonly id: string;
  /** RFC 4035 §4.9.3: AD means something only over a channel that nobody else can write to. */
  readonly isLoopback: boolean;
};

/** Resolver of a zone. */
export type ZoneResolvers = {
  /** `corp.example` with all below, or `*.corp.example` for all below alone. */
  readonly zone: string;
  readonly resolvers: readonly string[];
};

/** Reads `192.0.2.53`, `192.0.2.53:53`, `[2001:db8::53]:53`, `2001:db8::53` or `localhost:53`; undefined for anything else. */
export function parseUpstream(text: string): Upstream | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const written = isIP(text) === 6 ? text : (match?.[1] ?? match?.[2]);
  const host = written === 'localhost' ? '127.0.0.1' : written;
  const port = Number(match?.[3] ?? 53);
  const octets = host === undefined ? undefined : parseIpAddress(host);
  if (host === undefined || octets === undefined || port < 1 || port > 65535) return undefined;
  const isLoopback = octets.length === 4 ? octets[0] === 127 : octets.every((octet, i) => octet === (i === 15 ? 1 : 0));
  return { host, port, id: octets.length === 4 ? `${host}:${port}` : `[${host}]:${port}`, isLoopback };
}

/** Whether `name` is in `zone`; a zone `*.x` does not hold `x` itself. */
export function isInZone(name: string, zone: string): boolean {
  if (zone.startsWith('*.')) return name.endsWith(zone.slice(1)) && name.length > zone.length - 1;
  return name === zone || name.endsWith(`.${zone}`);
}

/** The entry with the longest zone that holds `name`. */
export function closestZone<Entry extends { readonly zone: string }>(
  entries: readonly Entry[],
  name: string,
): Entry | undefined {
  let closest: Entry | undefined;
  for (const entry of entries) {
    if (isInZone(name, entry.zone) && entry.zone.length > (closest?.zone.length ?? -1)) closest = entry;
  }
  return closest;
}
