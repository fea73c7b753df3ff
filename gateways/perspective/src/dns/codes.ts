// Numbers of the IANA registry 'Domain Name System Parameters', with the names by which people know them.

/** RFC 1035 §3.2.2, RFC 3596 §2.1, RFC 8659 §4.1, RFC 6891 §6.1.1. */
export const recordTypes = { A: 1, CNAME: 5, SOA: 6, TXT: 16, AAAA: 28, OPT: 41, CAA: 257 } as const;

const rcodes: ReadonlyMap<number, string> = new Map([
  [0, 'NOERROR'],
  [1, 'FORMERR'],
  [2, 'SERVFAIL'],
  [3, 'NXDOMAIN'],
  [4, 'NOTIMP'],
  [5, 'REFUSED'],
  [6, 'YXDOMAIN'],
  [7, 'YXRRSET'],
  [8, 'NXRRSET'],
  [9, 'NOTAUTH'],
  [10, 'NOTZONE'],
  [16, 'BADVERS'],
  [23, 'BADCOOKIE'],
]);

/** Mnemonic of an RCODE, the extended bits of RFC 6891 §6.1.3 included. */
export function rcodeName(rcode: number): string {
  return rcodes.get(rcode) ?? `RCODE${rcode}`;
}

/** RFC 8914 §4. */
const extendedErrors = [
  'Other',
  'Unsupported DNSKEY Algorithm',
  'Unsupported DS Digest Type',
  'Stale Answer',
  'Forged Answer',
  'DNSSEC Indeterminate',
  'DNSSEC Bogus',
  'Signature Expired',
  'Signature Not Yet Valid',
  'DNSKEY Missing',
  'RRSIGs Missing',
  'No Zone Key Bit Set',
  'NSEC Missing',
  'Cached Error',
  'Not Ready',
  'Blocked',
  'Censored',
  'Filtered',
  'Prohibited',
  'Stale NXDOMAIN Answer',
  'Not Authoritative',
  'Not Supported',
  'No Reachable Authority',
  'Network Error',
  'Invalid Data',
  'Signature Expired before Valid',
  'Too Early',
  'Unsupported NSEC3 Iterations Value',
  'Unable to conform to policy',
  'Synthesized',
] as const;

/** Name of an INFO-CODE. */
export function extendedErrorName(code: number): string {
  return extendedErrors[code] ?? 'unassigned';
}
