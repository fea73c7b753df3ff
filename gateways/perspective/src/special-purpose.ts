// The special-purpose ranges of the IANA registries for IPv4 and IPv6 (RFC 6890, as of 2026) with multicast and what is
// reserved, the addresses of metadata services, and the translations that carry an IPv4 address inside of an IPv6 one.
// Whoever can point a name at these must not make a perspective knock there.
import { parseIpRange } from '@gatehouse/pkix/ip-address';

/** Address and mask octets. */
export type IpRange = NonNullable<ReturnType<typeof parseIpRange>>;

/** A range and what it is for. */
export type NamedRange = { readonly range: IpRange; readonly purpose: string };

/** Reads `address/bits`. @throws {TypeError} when the text is no range */
export function ipRange(text: string): IpRange {
  const range = parseIpRange(text);
  if (range === undefined) throw new TypeError(`'${text}' is no range of addresses; write it like 10.20.0.0/16`);
  return range;
}

/** Whether the octets of an address lie in a range. */
export function isInRange(octets: Uint8Array, { address, mask }: IpRange): boolean {
  return octets.length === address.length && octets.every((octet, i) => (octet & (mask[i] ?? 0)) === address[i]);
}

const table = (rows: readonly (readonly [range: string, purpose: string])[]): readonly NamedRange[] =>
  rows.map(([range, purpose]) => ({ range: ipRange(range), purpose }));

/** Ranges that are refused by default. The first one that holds an address names it, so the smaller ones stand first. */
export const specialPurposeRanges: readonly NamedRange[] = table([
  ['0.0.0.0/8', "'this network', RFC 791 §3.2"],
  ['10.0.0.0/8', 'private use, RFC 1918'],
  ['100.64.0.0/10', 'shared address space, RFC 6598'],
  ['127.0.0.0/8', 'loopback, RFC 1122 §3.2.1.3'],
  ['169.254.0.0/16', 'link local, RFC 3927'],
  ['172.16.0.0/12', 'private use, RFC 1918'],
  ['192.0.0.0/24', 'IETF protocol assignments, RFC 6890 §2.1'],
  ['192.0.2.0/24', 'documentation, RFC 5737'],
  ['192.31.196.0/24', 'AS112-v4, RFC 7535'],
  ['192.52.193.0/24', 'AMT, RFC 7450'],
  ['192.88.99.0/24', '6to4 relay anycast, RFC 7526'],
  ['192.168.0.0/16', 'private use, RFC 1918'],
  ['192.175.48.0/24', 'direct delegation AS112 service, RFC 7534'],
  ['198.18.0.0/15', 'benchmarking, RFC 2544'],
  ['198.51.100.0/24', 'documentation, RFC 5737'],
  ['203.0.113.0/24', 'documentation, RFC 5737'],
  ['224.0.0.0/4', 'multicast, RFC 5771'],
  ['255.255.255.255/32', 'limited broadcast, RFC 8190'],
  ['240.0.0.0/4', 'reserved, RFC 1112 §4'],
  ['::/128', 'unspecified address, RFC 4291'],
  ['::1/128', 'loopback, RFC 4291'],
  ['::/96', 'IPv4-compatible address, RFC 4291 §2.5.5.1'],
  ['::ffff:0:0:0/96', 'IPv4-translated address, RFC 2765'],
  ['64:ff9b:1::/48', 'local-use translation, RFC 8215'],
  ['100::/64', 'discard only, RFC 6666'],
  ['100:0:0:1::/64', 'dummy prefix, RFC 9780'],
  ['2001::/32', 'Teredo, RFC 4380'],
  ['2001:2::/48', 'benchmarking, RFC 5180'],
  ['2001:db8::/32', 'documentation, RFC 3849'],
  ['2001:10::/28', 'ORCHID, RFC 4843'],
  ['2001:20::/28', 'ORCHIDv2, RFC 7343'],
  ['2001::/23', 'IETF protocol assignments, RFC 2928'],
  ['2002::/16', '6to4, RFC 3056'],
  ['2620:4f:8000::/48', 'direct delegation AS112 service, RFC 7534'],
  ['3fff::/20', 'documentation, RFC 9637'],
  ['5f00::/16', 'segment routing SIDs, RFC 9602'],
  ['fc00::/7', 'unique local, RFC 4193'],
  ['fe80::/10', 'link local, RFC 4291'],
  ['fec0::/10', 'site local, RFC 3879'],
  ['ff00::/8', 'multicast, RFC 4291'],
]);

/** Where clouds answer their machines with credentials: opened by no range, only by a range of that one address. */
export const metadataServices: readonly NamedRange[] = table([
  ['169.254.169.254/32', 'metadata service of a cloud'],
  ['169.254.169.253/32', 'resolver of a cloud'],
  ['169.254.170.2/32', 'credentials of container tasks'],
  ['169.254.170.23/32', 'credentials of pods'],
  ['168.63.129.16/32', 'platform service of a cloud'],
  ['100.100.100.200/32', 'metadata service of a cloud'],
  ['192.0.0.192/32', 'metadata service of a cloud'],
  ['fd00:ec2::254/128', 'metadata service of a cloud'],
  ['fd00:ec2::253/128', 'resolver of a cloud'],
  ['fd00:ec2::23/128', 'credentials of pods'],
  ['fd20:ce::254/128', 'metadata service of a cloud'],
  ['fd00:42::42/128', 'metadata service of a cloud'],
]);

/** Prefixes of addresses that carry IPv4 addresses, where those stand, and whether they are inverted (Teredo's client). */
const translations = [
  // RFC 6052 §2.1.
  { range: ipRange('64:ff9b::/96'), at: [12] },
  // RFC 8215: the operator chooses the length; the last 32 bits are looked at as for a /96.
  { range: ipRange('64:ff9b:1::/48'), at: [12] },
  // RFC 2765 §2.1.
  { range: ipRange('::ffff:0:0:0/96'), at: [12] },
  // RFC 3056 §2.
  { range: ipRange('2002::/16'), at: [2] },
  // RFC 4380 §4: server, and client with all bits inverted.
  { range: ipRange('2001::/32'), at: [4], invertedAt: 12 },
] as const;

const mapped = ipRange('::ffff:0:0/96');

/** The address that a connection goes to: of an IPv4-mapped one (RFC 4291 §2.5.5.2) the IPv4 address. */
export function unmapped(octets: Uint8Array): Uint8Array {
  return isInRange(octets, mapped) ? octets.slice(12) : octets;
}

/** IPv4 addresses that a translator or tunnel would deliver to. */
export function embeddedAddresses(octets: Uint8Array): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const translation of translations) {
    if (!isInRange(octets, translation.range)) continue;
    for (const at of translation.at) found.push(octets.slice(at, at + 4));
    if ('invertedAt' in translation) {
      found.push(octets.slice(translation.invertedAt, translation.invertedAt + 4).map((octet) => octet ^ 0xff));
    }
  }
  return found;
}
