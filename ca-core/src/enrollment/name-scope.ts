/**
 * Which names a registration authority may have certified. This is what bounds an RA that an attacker owns, so every
 * rule is an exact one: a name passes because it is provably inside, and whatever cannot be judged is outside.
 */
import { isIP } from 'node:net';
import { shorten } from '@gatehouse/pkix/general-name-syntax';
import { formatGeneralName, type GeneralName } from '@gatehouse/pkix/general-names';
import { parseIpRange } from '@gatehouse/pkix/ip-address';
import { type AttributeTypeAndValue, displayName, type Name } from '@gatehouse/pkix/names';
import { attributeTypes } from '@gatehouse/pkix/object-identifiers';
import { CoreError, type NameRefusal } from '@gatehouse/proto/core-error';
import { readHost } from './common-name.ts';
import { writeGeneralNameMessage } from './general-name-message.ts';
import { compileAttributePatterns } from './scope/attribute-patterns.ts';
import { entriesByProfile } from './scope/by-profile.ts';
import { compileDnsSuffixes } from './scope/dns-suffixes.ts';
import { compileEmailDomains } from './scope/email-domains.ts';
import { compileIpRanges } from './scope/ip-ranges.ts';
import { compileUriPrefixes } from './scope/uri-prefixes.ts';

/** The `NameScope` of the contract. A kind without an entry is refused; `*` allows every name of the kind. */
export type NameScope = {
  /** `[profile:]example.com` allows the domain itself and all below it. */
  readonly dnsSuffixes: readonly string[];
  /** `[profile:]`, then CIDR or a single address. A profile with DNS or IP entries of its own takes no others. */
  readonly ipRanges: readonly string[];
  /** Scheme and authority in full, then the beginning of the path. */
  readonly uriPrefixes: readonly string[];
  /** The domain of the address, exactly. */
  readonly emailDomains: readonly string[];
  /** `[profile:]type=pattern`; `*` in a pattern matches any run of characters, all others themselves. */
  readonly subjectAttributes: readonly string[];
};

/** A scope made ready for many checks. */
export type CompiledScope = {
  readonly allowsDns: (profile: string, value: string) => boolean;
  readonly allowsIp: (profile: string, value: string) => boolean;
  readonly allowsUri: (value: string) => boolean;
  readonly allowsEmail: (value: string) => boolean;
  readonly allowsAttribute: (profile: string, attribute: AttributeTypeAndValue) => boolean;
  /** Profiles that have DNS or IP entries of their own. */
  readonly boundProfiles: ReadonlySet<string>;
};

/** Names to judge: those of a certificate to be. */
export type NamesInQuestion = {
  readonly subject: Name;
  readonly names: readonly GeneralName[];
  /** Types (dotted) of attributes that the profile dictates; an RA cannot choose them, so its scope does not bound them. */
  readonly dictatedAttributes?: ReadonlySet<string>;
};

/** Checks each entry of a scope without keeping anything. Throws CoreError `malformed` that names the bad entry. */
export function parseScope(scope: NameScope): void {
  compileScope(scope);
}

/** Makes a scope ready. Throws CoreError `malformed` that names the entry that is none. */
export function compileScope(scope: NameScope): CompiledScope {
  const dns = entriesByProfile(scope.dnsSuffixes, () => false);
  const ip = entriesByProfile(scope.ipRanges, (entry) => parseIpRange(entry) !== undefined || isIP(entry) !== 0);
  const boundProfiles = new Set([...dns.own.keys(), ...ip.own.keys()]);
  const hostsOf = (dnsEntries: readonly string[], ipEntries: readonly string[]): Hosts => ({
    allowsDns: compileDnsSuffixes(dnsEntries),
    allowsIp: compileIpRanges(ipEntries),
  });
  const general = hostsOf(dns.general, ip.general);
  const own = new Map(
    [...boundProfiles].map((profile) => [profile, hostsOf(dns.own.get(profile) ?? [], ip.own.get(profile) ?? [])]),
  );
  return {
    allowsDns: (profile, value) => (own.get(profile) ?? general).allowsDns(value),
    allowsIp: (profile, value) => (own.get(profile) ?? general).allowsIp(value),
    boundProfiles,
    allowsUri: compileUriPrefixes(scope.uriPrefixes),
    allowsEmail: compileEmailDomains(scope.emailDomains),
    allowsAttribute: compileAttributePatterns(scope.subjectAttributes),
  };
}

type Hosts = { readonly allowsDns: (value: string) => boolean; readonly allowsIp: (value: string) => boolean };

/** Judges all names. Throws CoreError `out-of-scope` with one refusal for each name that is outside. */
export function checkScope(scope: CompiledScope, profile: string, names: NamesInQuestion): void {
  const refusals: NameRefusal[] = [];
  for (const attribute of names.subject.flat()) {
    if (names.dictatedAttributes?.has(attribute.type) || isAttributeAllowed(scope, profile, attribute)) continue;
    refusals.push(
      refuse(
        { kind: 'directory', value: [[attribute]] },
        `${displayName(attribute.type)}='${shorten(attribute.value)}'`,
      ),
    );
  }
  for (const name of names.names) {
    if (!isNameAllowed(scope, profile, name)) refusals.push(refuse(name, formatGeneralName(name)));
  }
  const [first] = refusals;
  if (first === undefined) return;
  const others = refusals.length === 1 ? '' : ` (and ${refusals.length - 1} more)`;
  throw new CoreError('out-of-scope', `${first.detail}${others}`, { names: refusals });
}

function isNameAllowed(scope: CompiledScope, profile: string, name: GeneralName): boolean {
  switch (name.kind) {
    case 'dns':
      return scope.allowsDns(profile, name.value);
    case 'ip':
      return scope.allowsIp(profile, name.value);
    case 'uri':
      return scope.allowsUri(name.value);
    case 'email':
      return scope.allowsEmail(name.value);
    case 'directory':
      return name.value.flat().every((attribute) => isAttributeAllowed(scope, profile, attribute));
    // There is no way to say which of these an RA may have, so it may have none.
    case 'other':
    case 'registered-id':
      return false;
  }
}

function isAttributeAllowed(scope: CompiledScope, profile: string, attribute: AttributeTypeAndValue): boolean {
  if (scope.allowsAttribute(profile, attribute)) return true;
  // A common name that is a host says no more than the same host as an alternative name.
  if (attribute.type !== attributeTypes.CN) return false;
  const host = readHost(attribute.value);
  return host !== undefined && isNameAllowed(scope, profile, host);
}

function refuse(name: GeneralName, text: string): NameRefusal {
  return {
    name: writeGeneralNameMessage(name),
    type: 'out-of-scope',
    detail: `${text} is outside of what this registration authority may ask for`,
  };
}
