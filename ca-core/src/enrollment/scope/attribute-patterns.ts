/**
 * Subject attributes of a scope: `type=pattern` for all profiles or `profile:type=pattern` for one. A pattern is
 * compared character by character, with case; only `*` matches anything else than itself. RFC 5280 §7.1 would let more
 * spellings pass, but a scope must not depend on how names are prepared for comparison.
 */
import type { AttributeTypeAndValue } from '@gatehouse/pkix/names';
import { attributeTypes } from '@gatehouse/pkix/object-identifiers';
import { nearest } from '@gatehouse/runtime/configuration/nearest';
import { profileNameForm } from '../../profiles/schema.ts';
import { badEntry, everything } from './entry.ts';

/** `profile` or `type` is undefined where every one is meant. */
type AttributePattern = {
  readonly profile: string | undefined;
  readonly type: string | undefined;
  /** The pattern between its asterisks. */
  readonly pieces: readonly string[];
};

/** Makes the check for subject attributes. Throws CoreError `malformed` for an entry that is no pattern. */
export function compileAttributePatterns(
  entries: readonly string[],
): (profile: string, attribute: AttributeTypeAndValue) => boolean {
  const patterns = entries.map(readEntry);
  return (profile, { type, value }) =>
    patterns.some(
      (pattern) =>
        (pattern.profile === undefined || pattern.profile === profile) &&
        (pattern.type === undefined || pattern.type === type) &&
        matches(pattern.pieces, value),
    );
}

/** Whether `value` is the pieces in their order with anything in between; takes time in proportion to the value. */
function matches(pieces: readonly string[], value: string): boolean {
  const first = pieces[0] ?? '';
  if (pieces.length === 1) return value === first;
  const last = pieces.at(-1) ?? '';
  if (!value.startsWith(first) || !value.endsWith(last) || value.length < first.length + last.length) return false;
  let position = first.length;
  const end = value.length - last.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = value.indexOf(piece, position);
    if (found < 0 || found + piece.length > end) return false;
    position = found + piece.length;
  }
  return true;
}

function readEntry(entry: string): AttributePattern {
  const colon = /^([a-z0-9-]+):/.exec(entry);
  const profile = colon?.[1];
  if (profile !== undefined && !profileNameForm.test(profile)) throw badEntry(entry, 'does not begin with a profile');
  const rest = entry.slice(colon?.[0].length ?? 0);
  if (rest === everything) return { profile, type: undefined, pieces: ['', ''] };
  const equals = rest.indexOf('=');
  if (equals < 1) throw badEntry(entry, "is not '[profile:]type=pattern', like 'O=Example*' or 'serialNumber=*'");
  const pattern = rest.slice(equals + 1);
  if (pattern === '') throw badEntry(entry, "has no pattern; write '*' for any value");
  if (pattern.length > 256) throw badEntry(entry, 'has a pattern of more than 256 characters');
  return { profile, type: readType(entry, rest.slice(0, equals)), pieces: pattern.split('*') };
}

function readType(entry: string, type: string): string {
  if (Object.hasOwn(attributeTypes, type)) return attributeTypes[type as keyof typeof attributeTypes];
  if (/^[0-2](?:\.(?:0|[1-9][0-9]*))+$/.test(type)) return type;
  const match = nearest(type, Object.keys(attributeTypes));
  throw badEntry(
    entry,
    match === undefined ? 'names no subject attribute' : `names no subject attribute; did you mean '${match}'?`,
  );
}
