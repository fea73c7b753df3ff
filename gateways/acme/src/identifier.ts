// Identifiers of orders and authorizations (RFC 8555 §9.7.7, RFC 8738): reads what a client wrote into one canonical form
// and says of each bad one what is wrong with it, of all of them at once. It must never repair a name: lower case and the
// text of RFC 5952 are the only changes, since clients compare the set that comes back with the one they sent.

import { domainToASCII, domainToUnicode } from 'node:url';
import { isHostName, shorten } from '@gatehouse/pkix/general-name-syntax';
import { formatIpAddress, parseIpAddress } from '@gatehouse/pkix/ip-address';
import { parse } from 'tldts';
import type { ProblemType, Subproblem } from './problem.ts';

/** An identifier in canonical form: lower-case A-labels, perhaps below `*.`; or RFC 5952. */
export type Identifier = { readonly type: 'dns' | 'ip'; readonly value: string };

/** What an authorization is about: {@link Identifier} without its `*.` (RFC 8555 §7.1.4). */
export type AuthorizedIdentifier = Identifier & { readonly isWildcard: boolean };

/** What a profile lets be ordered. */
export type IdentifierRules = {
  readonly allowsDns: boolean;
  readonly allowsIp: boolean;
  readonly allowsWildcards: boolean;
  /** Single labels, and names below no public suffix of ICANN's. */
  readonly allowsInternalNames: boolean;
  /** BR §4.2.2: names below in-addr.arpa and ip6.arpa. */
  readonly refusesReverseNames: boolean;
  /** Names that nobody may have, each with all names below it. */
  readonly blockedNames?: readonly string[] | undefined;
};

/** Identifiers that are good, without duplicates, and what is wrong with the others. */
export type IdentifierReading = {
  readonly identifiers: readonly Identifier[];
  readonly problems: readonly Subproblem[];
};

/** Most identifiers of an order. */
export const maximumIdentifiers = 100;

const publicSuffixes = { allowPrivateDomains: false, extractHostname: false, validateHostname: false };

/**
 * Reads the `identifiers` of an order.
 *
 * @returns undefined when it is no list of 1 to {@link maximumIdentifiers} objects with two texts
 */
export function readIdentifiers(value: unknown, rules: IdentifierRules): IdentifierReading | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > maximumIdentifiers) return undefined;
  const identifiers = new Map<string, Identifier>();
  const problems: Subproblem[] = [];
  for (const entry of value) {
    const written = readWritten(entry);
    if (written === undefined) return undefined;
    const read = readIdentifier(written, rules);
    if ('detail' in read) problems.push(read);
    else identifiers.set(`${read.type}:${read.value}`, read);
  }
  return { identifiers: [...identifiers.values()], problems };
}

/** Reads one identifier, as newAuthz has it (RFC 8555 §7.4.1). @returns undefined when it is no object with two texts */
export function readOneIdentifier(value: unknown, rules: IdentifierRules): Identifier | Subproblem | undefined {
  const written = readWritten(value);
  return written === undefined ? undefined : readIdentifier(written, rules);
}

/** What has to be authorized for an identifier of an order. */
export function authorizedIdentifier({ type, value }: Identifier): AuthorizedIdentifier {
  const isWildcard = type === 'dns' && value.startsWith('*.');
  return { type, value: isWildcard ? value.slice(2) : value, isWildcard };
}

type Written = { readonly type: string; readonly value: string };

function readWritten(entry: unknown): Written | undefined {
  if (typeof entry !== 'object' || entry === null || !('type' in entry) || !('value' in entry)) return undefined;
  const { type, value } = entry;
  return typeof type === 'string' && typeof value === 'string' ? { type, value } : undefined;
}

function readIdentifier(written: Written, rules: IdentifierRules): Identifier | Subproblem {
  const refuse = (type: ProblemType, detail: string): Subproblem => ({
    type,
    detail: `'${shorten(written.value)}' ${detail}`,
    identifier: { type: shorten(written.type), value: written.value.slice(0, 512) },
  });
  switch (written.type) {
    case 'dns':
      return readDnsName(written.value, rules, refuse);
    case 'ip':
      return readAddress(written.value, rules, refuse);
    default:
      return refuse(
        'unsupportedIdentifier',
        `is of the type '${shorten(written.type)}'; this server knows dns and ip (RFC 8555 §9.7.7, RFC 8738 §3)`,
      );
  }
}

type Refuse = (type: ProblemType, detail: string) => Subproblem;

function readDnsName(text: string, rules: IdentifierRules, refuse: Refuse): Identifier | Subproblem {
  const value = text.toLowerCase();
  if (value === '') return refuse('malformed', 'is empty');
  // RFC 8555 §7.1.4: identifiers are in their ASCII form (RFC 5891 §4.4); toLowerCase turns some other letters into ASCII.
  if (/[^ -~]/.test(text)) {
    return refuse('malformed', 'has characters outside of ASCII; write internationalized labels as A-labels (xn--…)');
  }
  if (/[^a-z0-9.*:-]/.test(value)) {
    return refuse('malformed', 'has a character that no host name has: letters, digits, hyphens and dots only');
  }
  if (parseIpAddress(value) !== undefined) {
    return refuse('rejectedIdentifier', "is an address; use an identifier of the type 'ip' (RFC 8738)");
  }
  const isWildcard = value.startsWith('*.');
  const name = isWildcard ? value.slice(2) : value;
  const flaw = describeFlaw(name, value);
  if (flaw !== undefined) return refuse('rejectedIdentifier', flaw);
  if (!rules.allowsDns) return refuse('rejectedIdentifier', 'is a DNS name; the profile takes none');
  const refusal = judgeDnsName(name, isWildcard, rules);
  return refusal === undefined ? { type: 'dns', value } : refuse('rejectedIdentifier', refusal);
}

/** What keeps a text of permitted characters from being a host name (RFC 1034 §3.5, RFC 6125 §6.4.3, RFC 5890 §2.3.2.1). */
function describeFlaw(name: string, whole: string): string | undefined {
  if (name.includes('*')) return "may have '*' only as its whole first label";
  if (name === '') return 'names nothing below the wildcard';
  if (name.endsWith('.')) return 'ends in a dot; write it without';
  if (whole.length > 253) return `is ${whole.length} octets long; a name has at most 253`;
  const labels = name.split('.');
  if (labels.includes('')) return 'has an empty label';
  if (labels.some((label) => label.length > 63)) return 'has a label of more than 63 octets';
  if (labels.some((label) => label.startsWith('-') || label.endsWith('-')))
    return 'has a label that begins or ends in a hyphen';
  if (!isHostName(name)) return 'is not a host name';
  // No name of the DNS ends in a number: resolvers would take it for an address of another spelling (RFC 1123 §2.1).
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? ''))
    return 'ends in a number as addresses do, and is none in the canonical form';
  if (labels.some((label) => label.startsWith('xn--') && !isALabel(label)))
    return 'has an xn-- label that is no A-label';
  return undefined;
}

function isALabel(label: string): boolean {
  const unicode = domainToUnicode(label);
  return unicode !== '' && unicode !== label && domainToASCII(unicode) === label;
}

function judgeDnsName(name: string, isWildcard: boolean, rules: IdentifierRules): string | undefined {
  if (isWildcard && !rules.allowsWildcards) return 'is a wildcard; the profile takes none';
  if (rules.blockedNames?.some((blocked) => name === blocked || name.endsWith(`.${blocked}`)) === true)
    return 'is blocked by the policy of this server';
  if (rules.refusesReverseNames && /(?:^|\.)(?:in-addr|ip6)\.arpa$/.test(name))
    return 'is in the reverse zone of addresses, for which the profile issues nothing (BR §4.2.2)';
  const { isIcann, publicSuffix } = parse(name, publicSuffixes);
  // BR §3.2.2.6: a wildcard directly below a registry-controlled label.
  if (isWildcard && isIcann === true && publicSuffix === name)
    return `would stand for every name below the public suffix '${name}'`;
  if (rules.allowsInternalNames) return undefined;
  if (!name.includes('.')) return 'is a single label; the profile takes only names of the public DNS';
  if (isIcann !== true) return 'is below no public suffix; the profile takes only names of the public DNS';
  return undefined;
}

function readAddress(text: string, rules: IdentifierRules, refuse: Refuse): Identifier | Subproblem {
  const octets = parseIpAddress(text);
  if (octets === undefined) return refuse('malformed', 'is no IPv4 address (RFC 1123 §2.1) or IPv6 address (RFC 5952)');
  if (!rules.allowsIp) return refuse('rejectedIdentifier', 'is an address; the profile takes none');
  // RFC 4291 §2.5.5.2: it would be validated as one address and be written into the certificate as another one.
  const isMapped = octets.length === 16 && octets.subarray(0, 10).every((octet) => octet === 0) && octets[10] === 0xff;
  if (isMapped && octets[11] === 0xff) {
    return refuse('rejectedIdentifier', 'is an IPv4 address mapped into IPv6; ask for the IPv4 address');
  }
  return { type: 'ip', value: formatIpAddress(octets) ?? '' };
}
