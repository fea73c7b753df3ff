// IP addresses between text and octets, in the canonical text of RFC 5952. Text that node:net does not take for an
// address is refused; zone identifiers and IPv4-mapped spellings never reach a certificate.
import { isIPv4, isIPv6 } from 'node:net';

/** Text of 4 or 16 octets, IPv6 as RFC 5952 writes it; undefined for any other number of octets. */
export function formatIpAddress(octets: Uint8Array): string | undefined {
  if (octets.length === 4) return octets.join('.');
  if (octets.length !== 16) return undefined;
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((octets[i] ?? 0) << 8) | (octets[i + 1] ?? 0));
  // RFC 5952 §4.2: the longest run of at least two zero groups is shortened, the first one of several.
  let [start, length] = [-1, 1];
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (i + run < 8 && groups[i + run] === 0) run++;
    if (run > length) [start, length] = [i, run];
  }
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (start < 0) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

/** 4 or 16 octets of an address, or undefined when the text is none. */
export function parseIpAddress(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.').map(Number));
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const lastColon = text.lastIndexOf(':');
  const embedded = text.includes('.') ? parseIpAddress(text.slice(lastColon + 1)) : undefined;
  const hexadecimal =
    embedded === undefined ? text : `${text.slice(0, lastColon + 1)}${hexPair(embedded, 0)}:${hexPair(embedded, 2)}`;
  const [head = '', tail] = hexadecimal.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle = new Array<string>(tail === undefined ? 0 : 8 - left.length - right.length).fill('0');
  const octets = new Uint8Array(16);
  [...left, ...middle, ...right].forEach((group, i) => {
    const value = Number.parseInt(group, 16);
    octets[2 * i] = value >> 8;
    octets[2 * i + 1] = value & 0xff;
  });
  return octets;
}

function hexPair(octets: Uint8Array, at: number): string {
  return (((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0)).toString(16);
}

/** Address and mask octets of `address/bits` (RFC 4632, RFC 4291), or undefined when the text is no range. */
export function parseIpRange(text: string): { readonly address: Uint8Array; readonly mask: Uint8Array } | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const address = match === null ? undefined : parseIpAddress(match[1] ?? '');
  const bits = Number(match?.[2]);
  if (address === undefined || bits > address.length * 8) return undefined;
  const mask = new Uint8Array(address.length);
  for (let i = 0; i < mask.length; i++) mask[i] = 0xff00 >> Math.min(8, Math.max(0, bits - 8 * i));
  return { address: address.map((octet, i) => octet & (mask[i] ?? 0)), mask };
}

/** `address/bits` of address and mask octets, or undefined when the mask is not a run of ones (RFC 5280 §4.2.1.10). */
export function formatIpRange(address: Uint8Array, mask: Uint8Array): string | undefined {
  const bits = Array.from(mask, (octet) => octet.toString(2).padStart(8, '0')).join('');
  const ones = bits.indexOf('0') < 0 ? bits.length : bits.indexOf('0');
  if (address.length !== mask.length || bits.includes('1', ones)) return undefined;
  const text = formatIpAddress(address);
  return text === undefined ? undefined : `${text}/${ones}`;
}
