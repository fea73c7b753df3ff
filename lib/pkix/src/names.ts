// Distinguished names (RFC 5280 §4.1.2.4, §7.1): between DER and values, comparison, and the bounds of appendix A. Names
// come from strangers: a NUL, an invalid character or a value that is no string is refused and never repaired.
import { attributeSyntax, attributeTypeOf } from './attribute-syntaxes.ts';
import { type DerElement, open, readObjectIdentifier, tags } from './der/reader.ts';
import { decodeString, isPrintable, stringTags } from './der/strings.ts';
import { characterString, objectIdentifier, sequence, setOf } from './der/writer.ts';
import { NameError } from './name-error.ts';

export { formatName, parseName } from './name-text.ts';
export { NameError };

/** `type` is a dotted object identifier, `tag` the identifier octet of the string type the value has or shall get. */
export type AttributeTypeAndValue = { readonly type: string; readonly value: string; readonly tag: number };
/** One attribute, or several that name together. */
export type RelativeDistinguishedName = readonly AttributeTypeAndValue[];
/** From the root of the directory (country) down to the entry (common name), as it is encoded. */
export type Name = readonly RelativeDistinguishedName[];

/** More relative names than any real entry has; a bound for what comparison may cost. */
const maximumAttributes = 128;

/**
 * Reads a Name.
 *
 * @throws DerError when it is no Name; NameError when a value is no character string, is empty or holds a NUL.
 */
export function readName(name: DerElement | Uint8Array): Name {
  const sequenceOfSets = open(name, tags.sequence);
  const relativeNames: RelativeDistinguishedName[] = [];
  let count = 0;
  while (!sequenceOfSets.isAtEnd) {
    const attributes: AttributeTypeAndValue[] = [];
    const setOfAttributes = sequenceOfSets.enter(tags.set);
    // RFC 5280 §4.1.2.4: RelativeDistinguishedName is SET SIZE (1..MAX).
    do {
      const attributeSequence = setOfAttributes.enter(tags.sequence);
      const type = readObjectIdentifier(attributeSequence.read(tags.objectIdentifier));
      attributes.push(readValue(type, attributeSequence.read()));
      attributeSequence.expectEnd();
      if (++count > maximumAttributes) throw new NameError(`name: more than ${maximumAttributes} attributes`);
    } while (!setOfAttributes.isAtEnd);
    relativeNames.push(attributes);
  }
  return relativeNames;
}

function readValue(type: string, element: DerElement): AttributeTypeAndValue {
  let value: string;
  try {
    value = decodeString(element.tag, element.contents);
  } catch (cause) {
    throw new NameError(`${displayName(type)}: ${(cause as Error).message}`, { cause });
  }
  // Software written in C ends a string at a NUL and would see another name than we do.
  if (value.includes('\0')) throw new NameError(`${displayName(type)}: holds a NUL`);
  return { type, value, tag: element.tag };
}

/**
 * Writes a Name, each value as the string type its `tag` says.
 *
 * @throws DerError when a value has characters that its string type does not.
 */
export function writeName(name: Name): Uint8Array {
  return sequence(
    ...name.map((attributes) =>
      setOf(attributes.map(({ type, value, tag }) => sequence(objectIdentifier(type), characterString(tag, value)))),
    ),
  );
}

/**
 * One attribute, with the string type its syntax prescribes: PrintableString for country, serial number and
 * dnQualifier, IA5String for domain component and e-mail address, UTF8String for all others (RFC 5280 §4.1.2.4).
 *
 * @param type short name ('CN'), long name ('commonName') or dotted object identifier
 * @throws NameError when the short name is unknown or the value does not fit the string type
 */
export function attribute(type: string, value: string): AttributeTypeAndValue {
  const identifier = attributeTypeOf(type) ?? type;
  if (!/^[0-2](\.(0|[1-9][0-9]*))+$/.test(identifier)) throw new NameError(`'${type}' is not a known attribute type`);
  const tag = attributeSyntax(identifier)?.tag ?? stringTags.utf8String;
  if (value.includes('\0')) throw new NameError(`${displayName(identifier)}: holds a NUL`);
  if (tag === stringTags.printableString && !isPrintable(value)) {
    throw new NameError(`${displayName(identifier)}: '${value}' has characters that a PrintableString does not`);
  }
  // An international e-mail address has no place in IA5String; RFC 5280 §4.1.2.6 leaves it to the SAN.
  if (tag === stringTags.ia5String && /[^\0-\x7f]/.test(value)) {
    throw new NameError(`${displayName(identifier)}: '${value}' has characters that an IA5String does not`);
  }
  return { type: identifier, value, tag };
}

/** All values of one attribute type, in the order of the name. `type` is a dotted object identifier. */
export function attributeValues(name: Name, type: string): string[] {
  const values: string[] = [];
  for (const attributes of name) for (const each of attributes) if (each.type === type) values.push(each.value);
  return values;
}

/** Upper bounds of RFC 5280 appendix A by dotted attribute type, in characters; undefined for an unknown type. */
export function upperBounds(type: string): { readonly minimum: number; readonly maximum: number } | undefined {
  return attributeSyntax(type);
}

/**
 * Refuses a value that is empty or longer than RFC 5280 appendix A allows (characters, not octets).
 *
 * @throws NameError that names the attribute and the bound
 */
export function checkUpperBounds(name: Name): void {
  for (const attributes of name) {
    for (const { type, value } of attributes) {
      const { minimum, maximum } = attributeSyntax(type) ?? { minimum: 0, maximum: 32768 };
      // Counting code points is only needed where code units are too many.
      const length = value.length > maximum ? Array.from(value).length : value.length;
      if (length < minimum || length > maximum) {
        const bound = minimum === maximum ? `exactly ${maximum}` : `${minimum} to ${maximum}`;
        throw new NameError(`${displayName(type)}: ${length} characters where ${bound} are allowed`);
      }
    }
  }
}

/**
 * Whether two names are the same by RFC 5280 §7.1: string types do not matter, case is folded, white space compressed,
 * characters normalised (RFC 4518 §2); attributes of one relative name in any order.
 */
export function areNamesEqual(a: Name, b: Name): boolean {
  return a.length === b.length && a.every((attributes, i) => areRelativeNamesEqual(attributes, b[i] ?? []));
}

/** Whether `name` begins with all relative names of `base`: the directory subtree of RFC 5280 §4.2.1.10. */
export function isNameWithin(name: Name, base: Name): boolean {
  return name.length >= base.length && areNamesEqual(name.slice(0, base.length), base);
}

/** One text for all names that are equal by {@link areNamesEqual}: a key for maps and indexes, not for people. */
export function nameKey(name: Name): string {
  return JSON.stringify(name.map(relativeNameKeys));
}

function areRelativeNamesEqual(a: RelativeDistinguishedName, b: RelativeDistinguishedName): boolean {
  if (a.length !== b.length) return false;
  const [onlyA, onlyB] = [a[0], b[0]];
  if (a.length === 1 && onlyA !== undefined && onlyB !== undefined) {
    if (onlyA.type !== onlyB.type) return false;
    return onlyA.value === onlyB.value || prepare(onlyA.value) === prepare(onlyB.value);
  }
  const keys = relativeNameKeys(b);
  return relativeNameKeys(a).every((key, i) => key === keys[i]);
}

function relativeNameKeys(attributes: RelativeDistinguishedName): string[] {
  return attributes.map(({ type, value }) => `${type}=${prepare(value)}`).sort();
}

// RFC 4518 §2: map (white space to SPACE, invisible characters to nothing, fold case), normalise, and treat space runs as
// insignificant. Upper before lower case makes 'ß' equal 'ss', as the case folding of RFC 3454 table B.2 does.
function prepare(value: string): string {
  return value
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .normalize('NFKC')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKC')
    .replace(/[\s\u0085]+/gu, ' ')
    .trim();
}

/** Short name of an attribute type, or its object identifier where it has none; for messages. */
export function displayName(type: string): string {
  return attributeSyntax(type)?.shortName ?? type;
}
