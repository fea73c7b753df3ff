// The nameConstraints extension (RFC 5280 §4.2.1.10): between DER and values, and whether names keep to it. A constraint
// that cannot be applied counts as broken: an unknown kind of subtree must never let a name pass.
import { DerCursor, type DerElement, DerError, open, tags } from './der/reader.ts';
import { decodeString, stringTags } from './der/strings.ts';
import { concat, explicit, sequence, wrap } from './der/writer.ts';
import { hostOfUri, isHostName } from './general-name-syntax.ts';
import { formatGeneralName, type GeneralName, generalNameTags } from './general-names.ts';
import { formatIpAddress, formatIpRange, parseIpAddress, parseIpRange } from './ip-address.ts';
import { isNameWithin, type Name, NameError, readName, writeName } from './names.ts';

/**
 * A set of names. 'dns': a host and all below it ('' is every host); 'ip': 'address/bits'; 'email': a mailbox, a host, or
 * '.host' for all below it; 'uri': a host, or '.host' for all below it; 'directory': a name and all below it.
 */
export type NameSubtree =
  | { readonly kind: 'dns' | 'ip' | 'email' | 'uri'; readonly value: string }
  | { readonly kind: 'directory'; readonly value: Name };

/** `permitted` limits the kinds that occur in it; `excluded` always wins. */
export type NameConstraints = { readonly permitted: readonly NameSubtree[]; readonly excluded: readonly NameSubtree[] };

/** DER of a NameConstraints value. @throws NameError when a subtree is not of its syntax, or there is none at all. */
export function writeNameConstraints({ permitted, excluded }: NameConstraints): Uint8Array {
  if (permitted.length + excluded.length === 0) throw new NameError('nameConstraints with no subtree');
  const subtrees = (list: readonly NameSubtree[]) => concat(...list.map((subtree) => sequence(writeSubtree(subtree))));
  return sequence(
    ...(permitted.length > 0 ? [wrap(0xa0, subtrees(permitted))] : []),
    ...(excluded.length > 0 ? [wrap(0xa1, subtrees(excluded))] : []),
  );
}

function writeSubtree(subtree: NameSubtree): Uint8Array {
  if (subtree.kind === 'directory') return explicit(4, writeName(subtree.value));
  if (subtree.kind === 'ip') {
    const range = parseIpRange(subtree.value);
    if (range === undefined) throw new NameError(`nameConstraints: '${subtree.value}' is not an address range`);
    return wrap(generalNameTags.ip, range.address, range.mask);
  }
  checkSubtree(subtree.kind, subtree.value);
  return wrap(generalNameTags[subtree.kind], Buffer.from(subtree.value, 'latin1'));
}

function checkSubtree(kind: 'dns' | 'email' | 'uri', value: string): void {
  const host = kind === 'email' ? value.slice(value.lastIndexOf('@') + 1) : value;
  // RFC 5280 §4.2.1.10 has the leading dot for e-mail and URI only; for DNS it is seen in the field and means the same.
  if (host !== '' && !isHostName(host.startsWith('.') ? host.slice(1) : host)) {
    throw new NameError(`nameConstraints: '${value}' is not a subtree of kind ${kind}`);
  }
}

/** Reads a NameConstraints value. @throws DerError, or NameError for a subtree that cannot be applied. */
export function readNameConstraints(value: Uint8Array): NameConstraints {
  const fields = open(value, tags.sequence);
  const permitted = readSubtrees(fields.enterOptional(0xa0));
  const excluded = readSubtrees(fields.enterOptional(0xa1));
  fields.expectEnd();
  if (permitted === undefined && excluded === undefined) throw new NameError('nameConstraints with no subtree');
  return { permitted: permitted ?? [], excluded: excluded ?? [] };
}

function readSubtrees(cursor: DerCursor | undefined): NameSubtree[] | undefined {
  if (cursor === undefined) return undefined;
  const subtrees: NameSubtree[] = [];
  do {
    const fields = cursor.enter(tags.sequence);
    subtrees.push(readSubtree(fields.read()));
    // RFC 5280 §4.2.1.10: minimum is 0, which DER leaves out, and maximum is absent.
    fields.expectEnd();
  } while (!cursor.isAtEnd);
  return subtrees;
}

function readSubtree({ tag, contents }: DerElement): NameSubtree {
  if (tag === generalNameTags.directory) {
    const inner = new DerCursor(contents, 2);
    const value = readName(inner.read(tags.sequence));
    inner.expectEnd();
    return { kind: 'directory', value };
  }
  if (tag === generalNameTags.ip) {
    const half = contents.length / 2;
    const range =
      half === 4 || half === 16 ? formatIpRange(contents.subarray(0, half), contents.subarray(half)) : undefined;
    if (range === undefined) throw new NameError('nameConstraints: an address range is not one');
    return { kind: 'ip', value: range };
  }
  const kind = (
    { [generalNameTags.dns]: 'dns', [generalNameTags.email]: 'email', [generalNameTags.uri]: 'uri' } as const
  )[tag];
  if (kind === undefined)
    throw new NameError(`nameConstraints: subtrees with tag ${tag.toString(16)} are not supported`);
  try {
    const text = decodeString(stringTags.ia5String, contents);
    checkSubtree(kind, text);
    return { kind, value: text };
  } catch (cause) {
    if (cause instanceof DerError) throw new NameError('nameConstraints: a subtree is not ASCII', { cause });
    throw cause;
  }
}

/**
 * The first name that breaks the constraints, as one line, or undefined if all keep to them (RFC 5280 §6.1.3 b and c).
 * Names of kinds that the constraints do not speak of are free.
 */
export function findForbiddenName(constraints: NameConstraints, names: readonly GeneralName[]): string | undefined {
  for (const name of names) {
    if (constraints.excluded.some((subtree) => isWithin(name, subtree))) {
      return `${formatGeneralName(name)} is in an excluded subtree`;
    }
    const sameKind = constraints.permitted.filter((subtree) => subtree.kind === name.kind);
    if (sameKind.length > 0 && !sameKind.some((subtree) => isWithin(name, subtree))) {
      return `${formatGeneralName(name)} is in no permitted subtree`;
    }
  }
  return undefined;
}

/** Whether a name is in a subtree of its own kind (RFC 5280 §4.2.1.10). */
export function isWithin(name: GeneralName, subtree: NameSubtree): boolean {
  if (name.kind === 'directory') return subtree.kind === 'directory' && isNameWithin(name.value, subtree.value);
  if (subtree.kind === 'directory' || name.kind !== subtree.kind) return false;
  switch (name.kind) {
    case 'dns':
      return isHostWithin(name.value, subtree.value);
    case 'ip':
      return isAddressWithin(name.value, subtree.value);
    case 'email':
      return isMailboxWithin(name.value, subtree.value);
    case 'uri':
      return isHostMatched(hostOfUri(name.value) ?? '', subtree.value);
    default:
      return false;
  }
}

// 'host.example' holds itself and everything below; '.host.example' only what is below.
function isHostWithin(name: string, subtree: string): boolean {
  const host = name.toLowerCase();
  const base = subtree.toLowerCase();
  if (base === '' || host === base) return true;
  return host.endsWith(base.startsWith('.') ? base : `.${base}`);
}

// RFC 5280 §4.2.1.10: for e-mail and URI a host means that host alone, a leading dot means what is below it.
function isHostMatched(host: string, subtree: string): boolean {
  const base = subtree.toLowerCase();
  if (base === '') return true;
  // A URI whose host is an address cannot be in a subtree of hosts, and counts as outside.
  if (parseIpAddress(host.replace(/^\[|\]$/g, '')) !== undefined) return false;
  return base.startsWith('.') ? host.endsWith(base) : host === base;
}

function isMailboxWithin(mailbox: string, subtree: string): boolean {
  const at = mailbox.lastIndexOf('@');
  const host = mailbox.slice(at + 1).toLowerCase();
  const subtreeAt = subtree.lastIndexOf('@');
  if (subtreeAt < 0) return isHostMatched(host, subtree);
  // RFC 5280 §7.5: the local part is compared exactly.
  return mailbox.slice(0, at) === subtree.slice(0, subtreeAt) && host === subtree.slice(subtreeAt + 1).toLowerCase();
}

function isAddressWithin(address: string, range: string): boolean {
  const octets = parseIpAddress(address);
  const parsed = parseIpRange(range);
  if (octets === undefined || parsed === undefined || octets.length !== parsed.mask.length) return false;
  return formatIpAddress(octets.map((octet, i) => octet & (parsed.mask[i] ?? 0))) === formatIpAddress(parsed.address);
}
