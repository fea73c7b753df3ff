// Which names mean nothing on the public Internet: addresses that IANA reserved for special purposes, and domain names
// under suffixes that are not in the public DNS. It never decides alone; the lints say what follows.
import { BlockList } from 'node:net';
import { formatIpAddress } from '@gatehouse/pkix/ip-address';

/** IPv4 networks that are not globally reachable: IANA IPv4 Special-Purpose Address Registry (RFC 6890). */
const reservedIpv4 = [
  ['0.0.0.0', 8], // RFC 791 §3.2: this network
  ['10.0.0.0', 8], // RFC 1918: private use
  ['100.64.0.0', 10], // RFC 6598: shared address space
  ['127.0.0.0', 8], // RFC 1122 §3.2.1.3: loopback
  ['169.254.0.0', 16], // RFC 3927: link local
  ['172.16.0.0', 12], // RFC 1918: private use
  ['192.0.0.0', 24], // RFC 6890 §2.1: protocol assignments
  ['192.0.2.0', 24], // RFC 5737: documentation
  ['192.168.0.0', 16], // RFC 1918: private use
  ['198.18.0.0', 15], // RFC 2544: benchmarking
  ['198.51.100.0', 24], // RFC 5737: documentation
  ['203.0.113.0', 24], // RFC 5737: documentation
  ['224.0.0.0', 4], // RFC 5771: multicast
  ['240.0.0.0', 4], // RFC 1112 §4: reserved, and the limited broadcast address
] as const;

/** IPv6 networks that are not globally reachable: IANA IPv6 Special-Purpose Address Registry (RFC 6890). */
const reservedIpv6 = [
  ['::', 128], // RFC 4291 §2.5.2: unspecified
  ['::1', 128], // RFC 4291 §2.5.3: loopback
  ['::ffff:0:0', 96], // RFC 4291 §2.5.5.2: IPv4-mapped
  ['64:ff9b:1::', 48], // RFC 8215: local translation
  ['100::', 64], // RFC 6666: discard only
  ['2001:2::', 48], // RFC 5180: benchmarking
  ['2001:db8::', 32], // RFC 3849: documentation
  ['3fff::', 20], // RFC 9637: documentation
  ['5f00::', 16], // RFC 9602: segment routing
  ['fc00::', 7], // RFC 4193: unique local
  ['fe80::', 10], // RFC 4291 §2.5.6: link local
  ['ff00::', 8], // RFC 4291 §2.7: multicast
] as const;

// A list each: in a common one an IPv4 address would also match the network of IPv4-mapped addresses.
const [reserved4, reserved6] = [new BlockList(), new BlockList()];
for (const [network, prefix] of reservedIpv4) reserved4.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of reservedIpv6) reserved6.addSubnet(network, prefix, 'ipv6');

/** Last labels that the public DNS does not have and will not have. */
const internalSuffixes: ReadonlySet<string> = new Set([
  'test', // RFC 6761 §6.2
  'localhost', // RFC 6761 §6.3
  'invalid', // RFC 6761 §6.4
  'example', // RFC 6761 §6.5
  'local', // RFC 6762 §3
  'alt', // RFC 9476
  'internal', // reserved for private use by resolution 2024.07.29.06 of the ICANN board
  // Withheld from delegation because private networks use them (ICANN name collision study; RFC 6762 appendix G).
  'home',
  'corp',
  'mail',
  'lan',
  'intranet',
  'private',
  'localdomain',
]);

/** Whether an iPAddress is reserved (BR §1.6.1, Reserved IP Address); octets that are no address are not. */
export function isReservedAddress(octets: Uint8Array): boolean {
  const address = formatIpAddress(octets);
  if (address === undefined) return false;
  return octets.length === 4 ? reserved4.check(address, 'ipv4') : reserved6.check(address, 'ipv6');
}

/**
 * Whether a domain name cannot be a public one (BR §1.6.1, Internal Name): a single label, a suffix set aside for
 * private use, or an all-numeric last label. The list of the root zone is not consulted, so that an unknown suffix
 * counts as public.
 */
export function isInternalName(name: string): boolean {
  const lastDot = name.lastIndexOf('.');
  if (lastDot < 0) return true;
  const last = name.slice(lastDot + 1).toLowerCase();
  if (internalSuffixes.has(last) || /^[0-9]+$/.test(last)) return true;
  // RFC 8375: the one reserved name that is two labels long.
  return last === 'arpa' && /(?:^|\.)home\.arpa$/i.test(name);
}

/** Whether the last label of a domain name is set aside for private use, so that nobody owns what is below it. */
export function hasPrivateSuffix(name: string): boolean {
  return internalSuffixes.has(name.slice(name.lastIndexOf('.') + 1).toLowerCase());
}

/** Whether a domain name is in the zones that map addresses to names (BR §1.6.1, IP Address Reverse Zone Suffix). */
export function isReverseZoneName(name: string): boolean {
  return /(?:^|\.)(?:in-addr|ip6)\.arpa$/i.test(name);
}
