// A distinguished name as it is encoded, for lints: every attribute with its string tag and octets. It judges nothing
// and accepts what lints have to find, such as wrong string types or empty sets.
import { DerCursor, type DerElement, readObjectIdentifier, tags } from '@gatehouse/pkix/der/reader';
import { decodeString } from '@gatehouse/pkix/der/strings';
import { EncodedValue } from './encoded-value.ts';

/** One AttributeTypeAndValue. */
export type AttributeView = { readonly type: string; readonly value: EncodedValue };

/** A Name: its RelativeDistinguishedNames as encoded, and all attributes in order. */
export type NameView = {
  readonly relativeDistinguishedNames: readonly DerElement[];
  readonly attributes: readonly AttributeView[];
};

/** Reads the DER of a Name; throws DerError when it is no RDNSequence. */
export function readNameView(raw: Uint8Array): NameView {
  const outer = new DerCursor(raw);
  const sequence = outer.enter(tags.sequence);
  const relativeDistinguishedNames: DerElement[] = [];
  const attributes: AttributeView[] = [];
  while (!sequence.isAtEnd) {
    const rdn = sequence.read(tags.set);
    relativeDistinguishedNames.push(rdn);
    const members = new DerCursor(rdn.contents);
    while (!members.isAtEnd) {
      const attribute = members.enter(tags.sequence);
      const type = readObjectIdentifier(attribute.read(tags.objectIdentifier));
      attributes.push({ type, value: new EncodedValue(attribute.read()) });
      attribute.expectEnd();
    }
  }
  return { relativeDistinguishedNames, attributes };
}

/** Text of an attribute; throws DerError when the octets are not of their string type. */
export function attributeText({ value }: AttributeView): string {
  return decodeString(value.tag, value.contents);
}

/** Encodings of the attributes of one RelativeDistinguishedName, in their order. */
export function membersOfSet(rdn: DerElement): readonly Uint8Array[] {
  const cursor = new DerCursor(rdn.contents);
  const members: Uint8Array[] = [];
  while (!cursor.isAtEnd) members.push(cursor.read(tags.sequence).raw);
  return members;
}
