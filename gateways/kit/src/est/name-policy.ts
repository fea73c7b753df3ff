// Which names a user, a token or a certificate may have certified, by patterns that an operator wrote. The gate's own
// word, checked before the keep is asked; the keep checks the scope of the whole gate again. No entry allows no name.

import { BlockList, isIP } from 'node:net';
import { formatGeneralName, type GeneralName } from '@gatehouse/pkix/general-names';
import { NameError } from '@gatehouse/pkix/name-error';
import { type AttributeTypeAndValue, displayName, type Name } from '@gatehouse/pkix/names';
import { attributeTypes } from '@gatehouse/pkix/object-identifiers';
import { compileUriPrefix } from '@gatehouse/pkix/uri-prefix';
import { FatalError } from '@gatehouse/runtime/fatal';
import { z } from 'zod';

const entries = z.array(z.string().min(1).max(253)).default([]);

/** Patterns as they stand in a file. A kind without an entry is refused; `*` allows every name of the kind. */
export const namePatternsSchema = z.strictObject({
  /** `example.com` allows the domain itself and all below it. */
  dnsSuffixes: entries,
  /** Addresses or CIDR. */
  ipRanges: entries,
  /** Prefix of the whole URI; scheme and authority must be complete. */
  uriPrefixes: entries,
  /** Domain of the address. */
  emailDomains: entries,
  /** `[label:]type=pattern`: type is a short name or dotted, `*` in the pattern matches any run of characters. */
  subjectAttributes: entries,
});

/** Patterns that are in order in form; {@link compileNamePatterns} judges their contents. */
export type NamePatterns = z.output<typeof namePatternsSchema>;

/** A pattern that means nothing. */
export class NamePatternError extends Error {
  override readonly name = 'NamePatternError';
  readonly code = 'name-pattern';
}

/** Names of a request, already decoded. */
export type RequestedNames = { readonly subject: Name; readonly names: readonly GeneralName[] };

/** Says which of the names are refused, each in a form for people; empty when all are allowed. */
export type NamePolicy = (requested: RequestedNames, label: string) => readonly string[];

type SubjectRule = {
  readonly label: string | undefined;
  readonly type: string;
  readonly matches: (value: string) => boolean;
};

/**
 * Makes a policy of patterns.
 *
 * @throws {NamePatternError} naming the first pattern that means nothing
 */
export function compileNamePatterns(patterns: NamePatterns): NamePolicy {
  const dns = patterns.dnsSuffixes.map(compileDns);
  const isAllowedAddress = compileAddresses(patterns.ipRanges);
  const uri = patterns.uriPrefixes.map(compileUri);
  const email = patterns.emailDomains.map((domain) => domain.toLowerCase());
  const subject = patterns.subjectAttributes.map(compileAttribute);

  const allowsName = (name: GeneralName): boolean => {
    switch (name.kind) {
      case 'dns':
        return dns.some((matches) => matches(name.value));
      case 'ip':
        return isAllowedAddress(name.value);
      case 'uri':
        return uri.some((matches) => matches(name.value));
      case 'email':
        return email.some((domain) => domain === '*' || name.value.toLowerCase().endsWith(`@${domain}`));
      default:
        // No pattern speaks of these kinds.
        return false;
    }
  };
  const allowsAttribute = ({ type, value }: AttributeTypeAndValue, label: string): boolean =>
    subject.some((rule) => rule.type === type && (rule.label ?? label) === label && rule.matches(value)) ||
    // A common name that repeats a server's name needs no rule of its own.
    (type === attributeTypes.CN &&
      (isIP(value) > 0 ? isAllowedAddress(value) : dnsForm.test(value) && dns.some((matches) => matches(value))));

  return (requested, label) => [
    ...requested.subject.flatMap((rdn) =>
      rdn
        .filter((attribute) => !allowsAttribute(attribute, label))
        .map(({ type, value }) => `${displayName(type)}=${value}`),
    ),
    ...requested.names.filter((name) => !allowsName(name)).map(formatGeneralName),
  ];
}

/**
 * Makes a policy of patterns that stand in the configuration.
 *
 * @param where their place, for the message
 * @throws {FatalError}
 */
export function compileConfiguredPatterns(where: string, patterns: NamePatterns): NamePolicy {
  try {
    return compileNamePatterns(patterns);
  } catch (cause) {
    if (!(cause instanceof NamePatternError)) throw cause;
    throw new FatalError(`${where}: ${cause.message}`, { exitCode: 78, cause });
  }
}

const dnsForm = /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;

// On a label boundary: `example.com` never covers `badexample.com`. A wildcard is judged by the domain below it.
function compileDns(suffix: string): (value: string) => boolean {
  if (suffix === '*') return () => true;
  const domain = suffix
    .replace(/^\*?\./, '')
    .replace(/\.$/, '')
    .toLowerCase();
  if (!dnsForm.test(domain)) throw new NamePatternError(`'${suffix}' is no domain`);
  return (value) => {
    const name = value.replace(/^\*\./, '').toLowerCase();
    return name === domain || name.endsWith(`.${domain}`);
  };
}

function compileAddresses(ranges: readonly string[]): (value: string) => boolean {
  if (ranges.includes('*')) return (value) => isIP(value) > 0;
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix, ...rest] = range.split('/');
    const version = isIP(address);
    const length =
      prefix === undefined ? (version === 6 ? 128 : 32) : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (version === 0 || rest.length > 0 || !(length <= (version === 6 ? 128 : 32))) {
      throw new NamePatternError(`'${range}' is no address range`);
    }
    list.addSubnet(address, length, version === 6 ? 'ipv6' : 'ipv4');
  }
  return (value) => {
    const version = isIP(value);
    return version > 0 && list.check(value, version === 6 ? 'ipv6' : 'ipv4');
  };
}

function compileUri(prefix: string): (value: string) => boolean {
  if (prefix === '*') return () => true;
  try {
    return compileUriPrefix(prefix);
  } catch (cause) {
    if (!(cause instanceof NameError)) throw cause;
    throw new NamePatternError(`'${prefix}' ${cause.detail}`, { cause });
  }
}

function compileAttribute(entry: string): SubjectRule {
  const equals = entry.indexOf('=');
  const left = entry.slice(0, Math.max(equals, 0));
  // A label may hold colons, a type cannot: the last one before the '=' divides.
  const colon = left.lastIndexOf(':');
  const type = typeOfName(left.slice(colon + 1));
  if (type === undefined) throw new NamePatternError(`'${entry}' must be [label:]type=pattern with a known type`);
  return {
    label: colon < 0 ? undefined : left.slice(0, colon),
    type,
    matches: compilePattern(entry.slice(equals + 1)),
  };
}

/** A pattern in which `*` stands for any run of characters, without case. */
function compilePattern(pattern: string): (value: string) => boolean {
  const parts = pattern.toLowerCase().split('*');
  return (value) => {
    const text = value.toLowerCase();
    const [first = '', ...rest] = parts;
    const last = rest.pop();
    if (last === undefined) return text === first;
    if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
    let position = first.length;
    for (const part of rest) {
      const found = text.indexOf(part, position);
      if (found < 0 || found + part.length > text.length - last.length) return false;
      position = found + part.length;
    }
    return true;
  };
}

function typeOfName(name: string): string | undefined {
  if (/^[0-2](?:\.\d+)+$/.test(name)) return name;
  const wanted = name.toLowerCase();
  return Object.entries(attributeTypes).find(([shortName]) => shortName.toLowerCase() === wanted)?.[1];
}
