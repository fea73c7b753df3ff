/** IP addresses of a scope: ranges of each version apart, so that no address passes in the dress of the other. */
import { formatIpAddress, parseIpAddress, parseIpRange } from '@gatehouse/pkix/ip-address';
import { isMappedAddress } from '../alternative-names.ts';
import { badEntry, everything } from './entry.ts';

type IpRange = { readonly address: Uint8Array; readonly mask: Uint8Array };

/** Makes the check for IP addresses. Throws CoreError `malformed` for an entry that is no range. */
export function compileIpRanges(entries: readonly string[]): (address: string) => boolean {
  const allowsAll = entries.includes(everything);
  const ranges = entries.filter((entry) => entry !== everything).map(readEntry);
  return (text) => {
    const address = parseIpAddress(text);
    if (address === undefined || isMappedAddress(text)) return false;
    return allowsAll || ranges.some((range) => contains(range, address));
  };
}

function contains({ address, mask }: IpRange, candidate: Uint8Array): boolean {
  if (candidate.length !== address.length) return false;
  return address.every((octet, i) => ((candidate[i] ?? 0) & (mask[i] ?? 0)) === octet);
}

function readEntry(entry: string): IpRange {
  const isSingle = !entry.includes('/');
  const bits = entry.includes(':') ? 128 : 32;
  const range = parseIpRange(isSingle ? `${entry}/${bits}` : entry);
  if (range === undefined) throw badEntry(entry, "is not a range of addresses like '192.0.2.0/24' or '2001:db8::/32'");
  const [text = '', length = ''] = entry.split('/');
  if (isMappedAddress(text)) throw badEntry(entry, 'is IPv4 written as IPv6; write it as IPv4');
  // 10.0.0.1/8 may have been meant as one address or as the network; a scope must not be guessed.
  const written = parseIpAddress(text);
  if (written === undefined || Buffer.compare(written, range.address) !== 0) {
    throw badEntry(
      entry,
      `has bits beyond its prefix; write '${formatIpAddress(range.address)}/${length}' or '${text}'`,
    );
  }
  return range;
}
