// GeneralNames (RFC 5280 §4.2.1.6) between DER, values and text. Every name is held to the syntax of its kind when it is
// read and when it is written; kinds that no certificate of ours carries are refused by name.
import { DerCursor, type DerElement, DerError, expectDer, open, readObjectIdentifier, tags } from './der/reader.ts';
import { decodeString, stringTags } from './der/strings.ts';
import { concat, explicit, implicit, objectIdentifier, sequence, wrap } from './der/writer.ts';
import { checkDnsName, checkEmailAddress, checkUri } from './general-name-syntax.ts';
import { formatIpAddress, parseIpAddress } from './ip-address.ts';
import { formatName, type Name, NameError, nameKey, parseName, readName, writeName } from './names.ts';

export { NameError };

/**
 * One name. The value of 'ip' is canonical text (RFC 5952); the value of 'other' is the DER of the value inside of its
 * explicit tag, and `type` its dotted object identifier; the value of 'registered-id' is a dotted object identifier.
 */
export type GeneralName =
  | { readonly kind: 'dns'; readonly value: string }
  | { readonly kind: 'ip'; readonly value: string }
  | { readonly kind: 'uri'; readonly value: string }
  | { readonly kind: 'email'; readonly value: string }
  | { readonly kind: 'directory'; readonly value: Name }
  | { readonly kind: 'other'; readonly type: string; readonly value: Uint8Array }
  | { readonly kind: 'registered-id'; readonly value: string };

/** Context-specific tags of GeneralName (RFC 5280 §4.2.1.6). */
export const generalNameTags = {
  other: 0xa0,
  email: 0x81,
  dns: 0x82,
  directory: 0xa4,
  uri: 0x86,
  ip: 0x87,
  'registered-id': 0x88,
} as const;

/** More names than any real certificate carries; a bound for what comparing them may cost. */
export const maximumGeneralNames = 1000;

/**
 * Reads GeneralNames, the whole SEQUENCE (or the element of an implicit tag).
 *
 * @throws DerError when it is no GeneralNames; NameError naming the first name whose syntax is wrong
 */
export function readGeneralNames(value: Uint8Array | DerElement): GeneralName[] {
  const cursor = value instanceof Uint8Array ? open(value, tags.sequence) : new DerCursor(value.contents, 1);
  const names: GeneralName[] = [];
  // RFC 5280 §4.2.1.6: GeneralNames is SEQUENCE SIZE (1..MAX).
  do {
    names.push(readGeneralName(cursor.read()));
    if (names.length > maximumGeneralNames) throw new NameError(`more than ${maximumGeneralNames} general names`);
  } while (!cursor.isAtEnd);
  return names;
}

/** Reads one GeneralName; errors as {@link readGeneralNames}. */
export function readGeneralName(element: DerElement): GeneralName {
  switch (element.tag) {
    case generalNameTags.dns: {
      const value = readAscii('dNSName', element.contents);
      checkDnsName(value);
      return { kind: 'dns', value };
    }
    case generalNameTags.ip: {
      const value = formatIpAddress(element.contents);
      if (value === undefined) throw new NameError(`iPAddress of ${element.contents.length} octets`);
      return { kind: 'ip', value };
    }
    case generalNameTags.uri: {
      const value = readAscii('uniformResourceIdentifier', element.contents);
      checkUri(value);
      return { kind: 'uri', value };
    }
    case generalNameTags.email: {
      const value = readAscii('rfc822Name', element.contents);
      checkEmailAddress(value);
      return { kind: 'email', value };
    }
    case generalNameTags.directory: {
      const inner = new DerCursor(element.contents, 2);
      const value = readName(inner.read(tags.sequence));
      inner.expectEnd();
      return { kind: 'directory', value };
    }
    case generalNameTags.other:
      return readOtherName(element);
    case generalNameTags['registered-id']:
      return { kind: 'registered-id', value: readObjectIdentifier(element) };
    case 0xa3:
      throw new NameError('x400Address is not supported');
    case 0xa5:
      throw new NameError('ediPartyName is not supported');
    default:
      throw new DerError(`tag ${element.tag.toString(16)} is not a general name`);
  }
}

function readAscii(kind: string, contents: Uint8Array): string {
  let text: string;
  try {
    text = decodeString(stringTags.ia5String, contents);
  } catch (cause) {
    throw new NameError(`${kind} holds characters that are not ASCII`, { cause });
  }
  if (text.includes('\0')) throw new NameError(`${kind} holds a NUL`);
  return text;
}

function readOtherName(element: DerElement): GeneralName {
  const fields = new DerCursor(element.contents, 2);
  const type = readObjectIdentifier(fields.read(tags.objectIdentifier));
  const inner = fields.enter(0xa0);
  fields.expectEnd();
  const value = inner.read().raw;
  inner.expectEnd();
  // The value is passed on unread, so it must at least be DER to its leaves.
  expectDer(value);
  return { kind: 'other', type, value };
}

/** Writes GeneralNames (SEQUENCE OF); errors as {@link writeGeneralName}. */
export function writeGeneralNames(names: readonly GeneralName[]): Uint8Array {
  return sequence(...names.map(writeGeneralName));
}

/** Writes one GeneralName. @throws NameError when its syntax is wrong. */
export function writeGeneralName(name: GeneralName): Uint8Array {
  switch (name.kind) {
    case 'dns':
      checkDnsName(name.value);
      return wrap(generalNameTags.dns, Buffer.from(name.value, 'latin1'));
    case 'uri':
      checkUri(name.value);
      return wrap(generalNameTags.uri, Buffer.from(name.value, 'latin1'));
    case 'email':
      checkEmailAddress(name.value);
      return wrap(generalNameTags.email, Buffer.from(name.value, 'latin1'));
    case 'ip': {
      const octets = parseIpAddress(name.value);
      if (octets === undefined) throw new NameError(`iPAddress '${name.value}' is not an address`);
      return wrap(generalNameTags.ip, octets);
    }
    case 'directory':
      return explicit(4, writeName(name.value));
    case 'other':
      return wrap(generalNameTags.other, concat(objectIdentifier(name.type), explicit(0, name.value)));
    case 'registered-id':
      return implicit(8, objectIdentifier(name.value));
  }
}

/** Text of a name for people: 'DNS:a.example', 'IP:192.0.2.1', 'URI:…', 'email:…', 'dirName:CN=…', 'RID:…', 'otherName:oid;#der'. */
export function formatGeneralName(name: GeneralName): string {
  switch (name.kind) {
    case 'dns':
      return `DNS:${name.value}`;
    case 'ip':
      return `IP:${name.value}`;
    case 'uri':
      return `URI:${name.value}`;
    case 'email':
      return `email:${name.value}`;
    case 'directory':
      return `dirName:${formatName(name.value)}`;
    case 'other':
      return `otherName:${name.type};#${Buffer.from(name.value).toString('hex')}`;
    case 'registered-id':
      return `RID:${name.value}`;
  }
}

/**
 * Reads the text of {@link formatGeneralName}; the kind in any case.
 *
 * @throws NameError when the kind is unknown or the value is not of its syntax
 */
export function parseGeneralName(text: string): GeneralName {
  const colon = text.indexOf(':');
  const value = text.slice(colon + 1);
  const name = readKind(text.slice(0, Math.max(0, colon)).toLowerCase(), value);
  if (name === undefined)
    throw new NameError(`'${text}' is not a general name: DNS:, IP:, URI:, email:, dirName:, RID: or otherName:`);
  try {
    writeGeneralName(name);
    if (name.kind === 'other') expectDer(name.value);
  } catch (cause) {
    if (cause instanceof DerError) throw new NameError(`'${text}' is not a general name: ${cause.detail}`, { cause });
    throw cause;
  }
  return name;
}

function readKind(kind: string, value: string): GeneralName | undefined {
  switch (kind) {
    case 'dns':
    case 'uri':
    case 'email':
      return { kind, value };
    case 'ip':
      return { kind, value: formatIpAddress(parseIpAddress(value) ?? new Uint8Array(0)) ?? value };
    case 'dirname':
      return { kind: 'directory', value: parseName(value) };
    case 'rid':
      return { kind: 'registered-id', value };
    case 'othername': {
      const [, type, hex] = /^([0-9.]+);#((?:[0-9a-fA-F]{2})+)$/.exec(value) ?? [];
      return type === undefined || hex === undefined
        ? undefined
        : { kind: 'other', type, value: Buffer.from(hex, 'hex') };
    }
    default:
      return undefined;
  }
}

/** Whether two names are the same: hosts without case (RFC 4343), directory names by RFC 5280 §7.1, all others exactly. */
export function areGeneralNamesEqual(a: GeneralName, b: GeneralName): boolean {
  return a.kind === b.kind && comparisonKey(a) === comparisonKey(b);
}

/** Whether two lists hold the same names, in any order and however often each. */
export function areGeneralNameSetsEqual(a: readonly GeneralName[], b: readonly GeneralName[]): boolean {
  return isSubset(a, b) && isSubset(b, a);
}

function isSubset(names: readonly GeneralName[], of: readonly GeneralName[]): boolean {
  const keys = new Set(of.map(comparisonKey));
  return names.every((name) => keys.has(comparisonKey(name)));
}

function comparisonKey(name: GeneralName): string {
  if (name.kind === 'directory') return `dirName:${nameKey(name.value)}`;
  if (name.kind === 'dns') return `DNS:${name.value.toLowerCase()}`;
  // RFC 5280 §7.5: the local part is compared exactly, the host without case.
  if (name.kind === 'email') {
    const at = name.value.lastIndexOf('@');
    return `email:${name.value.slice(0, at)}${name.value.slice(at).toLowerCase()}`;
  }
  return formatGeneralName(name);
}
