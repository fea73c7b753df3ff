// Views of the values of the extensions that lints look at, read leniently: order, criticality and contents are for the
// lints to judge, only octets that are not the ASN.1 type at all are a DerError.
import {
  DerCursor,
  readBitString,
  readBoolean,
  readObjectIdentifier,
  readSmallInteger,
  tags,
} from '@gatehouse/pkix/der/reader';
import { EncodedValue } from './encoded-value.ts';

/** BasicConstraints, RFC 5280 §4.2.1.9. */
export type BasicConstraintsView = {
  readonly isCa: boolean;
  /** Whether cA is written although it is FALSE, its default. */
  readonly isDefaultEncoded: boolean;
  readonly pathLength: number | undefined;
};

/** KeyUsage, RFC 5280 §4.2.1.3: the octets of the bit string and its count of unused bits. */
export type KeyUsageView = { readonly bytes: Uint8Array; readonly unusedBits: number };

/** AuthorityKeyIdentifier, RFC 5280 §4.2.1.1. */
export type AuthorityKeyIdentifierView = {
  readonly keyIdentifier: Uint8Array | undefined;
  readonly hasIssuer: boolean;
  readonly hasSerialNumber: boolean;
};

/** AccessDescription, RFC 5280 §4.2.2.1. */
export type AccessDescriptionView = { readonly method: string; readonly location: EncodedValue };

/** DistributionPoint, RFC 5280 §4.2.1.13; `names` of fullName, undefined where there is none. */
export type DistributionPointView = {
  readonly names: readonly EncodedValue[] | undefined;
  readonly isRelative: boolean;
  readonly hasReasons: boolean;
  readonly hasIssuer: boolean;
};

/** NameConstraints, RFC 5280 §4.2.1.10: how many subtrees are permitted and excluded. */
export type NameConstraintsView = { readonly permitted: number; readonly excluded: number };

/** Reads BasicConstraints. @throws DerError */
export function readBasicConstraintsView(value: Uint8Array): BasicConstraintsView {
  const outer = new DerCursor(value);
  const cursor = outer.enter(tags.sequence);
  outer.expectEnd();
  const isCaElement = cursor.readOptional(tags.boolean);
  const isCa = isCaElement !== undefined && readBoolean(isCaElement);
  const pathLengthElement = cursor.readOptional(tags.integer);
  const pathLength = pathLengthElement === undefined ? undefined : readSmallInteger(pathLengthElement);
  cursor.expectEnd();
  return { isCa, isDefaultEncoded: isCaElement !== undefined && !isCa, pathLength };
}

/** Reads KeyUsage. @throws DerError */
export function readKeyUsageView(value: Uint8Array): KeyUsageView {
  const outer = new DerCursor(value);
  const bits = readBitString(outer.read(tags.bitString));
  outer.expectEnd();
  return bits;
}

/** Reads AuthorityKeyIdentifier. @throws DerError */
export function readAuthorityKeyIdentifierView(value: Uint8Array): AuthorityKeyIdentifierView {
  const outer = new DerCursor(value);
  const cursor = outer.enter(tags.sequence);
  outer.expectEnd();
  const keyIdentifier = cursor.readOptional(0x80)?.contents;
  const hasIssuer = cursor.readOptional(0xa1) !== undefined;
  const hasSerialNumber = cursor.readOptional(0x82) !== undefined;
  cursor.expectEnd();
  return { keyIdentifier, hasIssuer, hasSerialNumber };
}

/** SEQUENCE OF OBJECT IDENTIFIER, the form of extendedKeyUsage. */
export function readIdentifiers(value: Uint8Array): readonly string[] {
  const outer = new DerCursor(value);
  const cursor = outer.enter(tags.sequence);
  outer.expectEnd();
  const identifiers: string[] = [];
  while (!cursor.isAtEnd) identifiers.push(readObjectIdentifier(cursor.read(tags.objectIdentifier)));
  return identifiers;
}

/** Policy identifiers of certificatePolicies, RFC 5280 §4.2.1.4. */
export function readPolicyIdentifiers(value: Uint8Array): readonly string[] {
  const outer = new DerCursor(value);
  const cursor = outer.enter(tags.sequence);
  outer.expectEnd();
  const identifiers: string[] = [];
  while (!cursor.isAtEnd) {
    const information = cursor.enter(tags.sequence);
    identifiers.push(readObjectIdentifier(information.read(tags.objectIdentifier)));
    information.readOptional(tags.sequence);
    information.expectEnd();
  }
  return identifiers;
}

/** GeneralNames, RFC 5280 §4.2.1.6. */
export function readGeneralNameViews(value: Uint8Array): readonly EncodedValue[] {
  const outer = new DerCursor(value);
  const cursor = outer.enter(tags.sequence);
  outer.expectEnd();
  return readAll(cursor);
}

function readAll(cursor: DerCursor): readonly EncodedValue[] {
  const values: EncodedValue[] = [];
  while (!cursor.isAtEnd) {
    values.push(new EncodedValue(cursor.read()));
  }
  return values;
}

/** Reads AuthorityInfoAccessSyntax, RFC 5280 §4.2.2.1. @throws DerError */
export function readAccessDescriptions(value: Uint8Array): readonly AccessDescriptionView[] {
  const outer = new DerCursor(value);
  const cursor = outer.enter(tags.sequence);
  outer.expectEnd();
  const descriptions: AccessDescriptionView[] = [];
  while (!cursor.isAtEnd) {
    const description = cursor.enter(tags.sequence);
    const method = readObjectIdentifier(description.read(tags.objectIdentifier));
    descriptions.push({ method, location: new EncodedValue(description.read()) });
    description.expectEnd();
  }
  return descriptions;
}

/** Reads CRLDistributionPoints. @throws DerError */
export function readDistributionPoints(value: Uint8Array): readonly DistributionPointView[] {
  const outer = new DerCursor(value);
  const cursor = outer.enter(tags.sequence);
  outer.expectEnd();
  const points: DistributionPointView[] = [];
  while (!cursor.isAtEnd) {
    const point = cursor.enter(tags.sequence);
    // DistributionPointName is a CHOICE, so its tag [0] is explicit; inside stand fullName [0] or a relative name [1].
    const name = point.enterOptional(0xa0);
    const fullName = name?.enterOptional(0xa0);
    const isRelative = name !== undefined && name.readOptional(0xa1) !== undefined;
    name?.expectEnd();
    const hasReasons = point.readOptional(0x81) !== undefined;
    const hasIssuer = point.readOptional(0xa2) !== undefined;
    point.expectEnd();
    points.push({ names: fullName && readAll(fullName), isRelative, hasReasons, hasIssuer });
  }
  return points;
}

/** Reads NameConstraints. @throws DerError */
export function readNameConstraintsView(value: Uint8Array): NameConstraintsView {
  const outer = new DerCursor(value);
  const cursor = outer.enter(tags.sequence);
  outer.expectEnd();
  const permitted = cursor.enterOptional(0xa0);
  const excluded = cursor.enterOptional(0xa1);
  cursor.expectEnd();
  return { permitted: count(permitted), excluded: count(excluded) };
}

function count(cursor: DerCursor | undefined): number {
  return cursor === undefined ? 0 : readAll(cursor).length;
}
