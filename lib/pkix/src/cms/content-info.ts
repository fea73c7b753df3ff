// ContentInfo and the parts that all CMS contents share (RFC 5652 §3, §5.3, §10). Bounded before it is read; typed errors
// only.
import { DerCursor, DerError, readObjectIdentifier, tags } from '../der/reader.ts';
import { explicit, objectIdentifier, sequence, setOf } from '../der/writer.ts';
import { PkixError } from '../errors.ts';
import { CmsError } from './error.ts';

/** Largest message that is read, in octets. */
export const maximumCmsOctets = 1024 * 1024;

/** An attribute: dotted object identifier, and the DER of each value. */
export type CmsAttribute = { readonly type: string; readonly values: readonly Uint8Array[] };

/** Turns every typed error of a reader into a CmsError that names the part. */
export function readingCms<T>(part: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof CmsError || !(cause instanceof PkixError)) throw cause;
    throw new CmsError(`${part}: ${cause.detail}`, { cause });
  }
}

/** Cursor over the inside of the content's `[0] EXPLICIT` of a ContentInfo of this type. @throws CmsError, DerError */
export function openContentInfo(der: Uint8Array, contentType: string): DerCursor {
  if (der.length > maximumCmsOctets) throw new CmsError(`CMS: more than ${maximumCmsOctets} octets`);
  const outer = new DerCursor(der);
  const fields = outer.enter(tags.sequence);
  outer.expectEnd();
  const type = readObjectIdentifier(fields.read(tags.objectIdentifier));
  if (type !== contentType) throw new CmsError(`CMS: content type ${type} where ${contentType} must stand`);
  const content = fields.enter(0xa0);
  fields.expectEnd();
  return content;
}

/** ContentInfo around the DER of a content (RFC 5652 §3). */
export function writeContentInfo(contentType: string, content: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(contentType), explicit(0, content));
}

/** Reads a SET OF Attribute in which each type occurs once (RFC 5652 §5.3, §11). */
export function readAttributes(cursor: DerCursor): CmsAttribute[] {
  const attributes: CmsAttribute[] = [];
  const seen = new Set<string>();
  while (!cursor.isAtEnd) {
    const fields = cursor.enter(tags.sequence);
    const type = readObjectIdentifier(fields.read(tags.objectIdentifier));
    const valueSet = fields.enter(tags.set);
    fields.expectEnd();
    if (seen.has(type)) throw new DerError(`attribute ${type} occurs twice`);
    seen.add(type);
    const values: Uint8Array[] = [];
    while (!valueSet.isAtEnd) values.push(valueSet.read().raw);
    attributes.push({ type, values });
  }
  return attributes;
}

/** Writes SET OF Attribute, sorted as DER demands. */
export function writeAttributes(attributes: readonly CmsAttribute[]): Uint8Array {
  return setOf(attributes.map(({ type, values }) => sequence(objectIdentifier(type), setOf(values))));
}

/** The only value of an attribute, or undefined if there is no such attribute. @throws CmsError when it has several or none */
export function singleValue(attributes: readonly CmsAttribute[], type: string): Uint8Array | undefined {
  const attribute = attributes.find((each) => each.type === type);
  if (attribute === undefined) return undefined;
  const [value] = attribute.values;
  if (value === undefined || attribute.values.length !== 1)
    throw new CmsError(`attribute ${type}: not exactly one value`);
  return value;
}
