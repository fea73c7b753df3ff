// Which addresses a perspective may connect to (mpic.md §2.5). All special-purpose ranges are refused unless the
// configuration opens a range, for all names or for those of one zone; addresses inside of addresses are judged too. It is
// asked about the very address that is connected to, at every hop.
import { formatIpAddress, parseIpAddress } from '@gatehouse/pkix/ip-address';
import { closestZone } from './dns/upstream.ts';
import {
  embeddedAddresses,
  type IpRange,
  ipRange,
  isInRange,
  metadataServices,
  specialPurposeRanges,
  unmapped,
} from './special-purpose.ts';

/** May be connected to, as this canonical text; or why not. */
export type AddressVerdict =
  | { readonly isAllowed: true; readonly address: string }
  | { readonly isAllowed: false; readonly address: string; readonly reason: string };

/** Judges addresses. */
export type AddressPolicy = {
  /** `name`: the host by which the address was found, or the address itself. */
  judge(address: string, name: string): AddressVerdict;
  /** Whether what a host says may lead to another one: not into a zone that is looked at in a way of its own, from outside. */
  leadsTo(from: string, to: string): boolean;
};

/** What {@link createAddressPolicy} takes; ranges as `address/bits`. */
export type AddressPolicyOptions = {
  /** Opened for all names. */
  readonly allow?: readonly string[] | undefined;
  /** Opened for the names of one zone (`corp.example` or `*.corp.example`; the longest that fits counts). */
  readonly zones?: readonly { readonly zone: string; readonly allow?: readonly string[] | undefined }[] | undefined;
  /** Refused whatever else is opened: the operator's own networks with public addresses. */
  readonly refuse?: readonly string[] | undefined;
};

/**
 * Creates a policy.
 *
 * @throws {TypeError} when a range cannot be read
 */
export function createAddressPolicy(options: AddressPolicyOptions = {}): AddressPolicy {
  const allow = (options.allow ?? []).map(ipRange);
  const refuse = (options.refuse ?? []).map(ipRange);
  const zones = (options.zones ?? []).map(({ zone, allow: ranges = [] }) => ({ zone, allow: ranges.map(ipRange) }));
  return {
    judge(address, name) {
      const octets = parseIpAddress(address);
      const target = octets === undefined ? undefined : unmapped(octets);
      const text = target === undefined ? undefined : formatIpAddress(target);
      if (target === undefined || text === undefined) return { isAllowed: false, address, reason: 'is no IP address' };
      const opened = [...allow, ...(closestZone(zones, name)?.allow ?? [])];
      for (const one of [target, ...embeddedAddresses(target)]) {
        const why = refusal(one, opened, refuse);
        if (why === undefined) continue;
        const inside = one === target ? '' : `holds ${formatIpAddress(one)}, which `;
        return { isAllowed: false, address: text, reason: `${inside}${why}` };
      }
      return { isAllowed: true, address: text };
    },
    leadsTo(from, to) {
      const zone = closestZone(zones, to);
      return zone === undefined || zone === closestZone(zones, from);
    },
  };
}

function refusal(octets: Uint8Array, opened: readonly IpRange[], refuse: readonly IpRange[]): string | undefined {
  if (refuse.some((range) => isInRange(octets, range))) return 'is in a network that is not looked at';
  const openers = opened.filter((range) => isInRange(octets, range));
  const metadata = metadataServices.find(({ range }) => isInRange(octets, range));
  if (metadata !== undefined) {
    return openers.some(({ mask }) => mask.every((octet) => octet === 0xff)) ? undefined : `is a ${metadata.purpose}`;
  }
  if (openers.length > 0) return undefined;
  const special = specialPurposeRanges.find(({ range }) => isInRange(octets, range));
  return special === undefined ? undefined : `is in a special-purpose range (${special.purpose})`;
}
