// Reads DER (X.690 §8, §10, §11) from foreign bytes: definite and minimal lengths only, low tag numbers only, a bounded
// depth, views instead of copies. It is the first thing that touches a stranger's request, so it must never read past
// the end, never recurse without bound and never accept two encodings of one value.
import { DerError } from './error.ts';
import { decodeObjectIdentifier } from './object-identifier.ts';
import { decodeString } from './strings.ts';
import { decodeTime } from './time.ts';

export { DerError };

/** Nesting that is accepted; a certificate needs about twelve levels. */
export const maximumDepth = 32;

/** Identifier octets of the universal types (X.680 §8.6). */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/**
 * One element. `tag` is the whole identifier octet (class, constructed bit, number below 31), `contents` the octets
 * inside of it, `raw` the octets with identifier and length. Both are views of the bytes that were read.
 */
export type DerElement = { readonly tag: number; readonly contents: Uint8Array; readonly raw: Uint8Array };

// The views are made when asked for: most elements of a request are only walked over.
class ElementView implements DerElement {
  readonly tag: number;
  private readonly bytes: Uint8Array;
  private readonly start: number;
  private readonly contentsStart: number;
  private readonly end: number;
  private madeContents: Uint8Array | undefined;
  private madeRaw: Uint8Array | undefined;

  constructor(bytes: Uint8Array, tag: number, start: number, contentsStart: number, end: number) {
    this.tag = tag;
    this.bytes = bytes;
    this.start = start;
    this.contentsStart = contentsStart;
    this.end = end;
    this.madeContents = undefined;
    this.madeRaw = undefined;
  }

  get contents(): Uint8Array {
    this.madeContents ??= this.bytes.subarray(this.contentsStart, this.end);
    return this.madeContents;
  }

  get raw(): Uint8Array {
    this.madeRaw ??= this.bytes.subarray(this.start, this.end);
    return this.madeRaw;
  }
}

/** Walks over the elements that stand one after the other in some bytes. All methods throw {@link DerError}. */
export class DerCursor {
  private readonly bytes: Uint8Array;
  private readonly depth: number;
  private readonly end: number;
  private position: number;
  private contentsStart: number;

  /** A cursor over all of `bytes`, or over the octets from `start` up to and without `end`. */
  constructor(bytes: Uint8Array, depth = 0, start = 0, end = bytes.length) {
    if (depth > maximumDepth) throw new DerError(`nested deeper than ${maximumDepth} levels`);
    this.bytes = bytes;
    this.depth = depth;
    this.position = start;
    this.contentsStart = start;
    this.end = end;
  }

  /** Whether nothing is left. */
  get isAtEnd(): boolean {
    return this.position >= this.end;
  }

  /** Identifier octet of the next element, or undefined at the end. */
  peekTag(): number | undefined {
    return this.position < this.end ? this.bytes[this.position] : undefined;
  }

  /** The next element, which must have the tag `expectedTag` if one is given. */
  read(expectedTag?: number): DerElement {
    const start = this.position;
    const tag = this.advance(expectedTag);
    return new ElementView(this.bytes, tag, start, this.contentsStart, this.position);
  }

  /** The next element if it has this tag, else undefined and the cursor stays. */
  readOptional(tag: number): DerElement | undefined {
    return this.peekTag() === tag ? this.read(tag) : undefined;
  }

  /** Steps over the next element, which must have this tag, and gives a cursor over its contents. */
  enter(tag: number): DerCursor {
    this.advance(tag);
    return new DerCursor(this.bytes, this.depth + 1, this.contentsStart, this.position);
  }

  /** Like {@link enter}, or undefined if the next element has another tag or there is none. */
  enterOptional(tag: number): DerCursor | undefined {
    return this.peekTag() === tag ? this.enter(tag) : undefined;
  }

  /** Steps over the next element, which must have this tag if one is given. */
  skip(expectedTag?: number): void {
    this.advance(expectedTag);
  }

  /** Refuses anything that is left. */
  expectEnd(): void {
    if (this.position < this.end)
      throw new DerError(`${this.end - this.position} octets too many at offset ${this.position}`);
  }

  // Moves over one element; leaves where its contents start in contentsStart and where it ends in position.
  private advance(expectedTag: number | undefined): number {
    const { bytes, end } = this;
    let at = this.position;
    if (at >= end) throw new DerError(`the octets end at offset ${at} where ${describeTag(expectedTag)} must stand`);
    const tag = bytes[at] ?? 0;
    if (expectedTag !== undefined && tag !== expectedTag) {
      throw new DerError(`${describeTag(tag)} at offset ${at} where ${describeTag(expectedTag)} must stand`);
    }
    if ((tag & 0x1f) === 0x1f || tag === 0)
      throw new DerError(`tag ${describeTag(tag)} at offset ${at} is not accepted`);
    // X.690 §10.2: strings are primitive in DER; §8.9 and §8.11: SEQUENCE and SET are constructed.
    if (tag < 0x40 && ((tag & 0x20) !== 0) !== isConstructedType(tag & 0x1f)) {
      throw new DerError(`${describeTag(tag)} at offset ${at} is not DER`);
    }
    at++;
    if (at >= end) throw new DerError(`the octets end at offset ${at} where a length must stand`);
    let length = bytes[at++] ?? 0;
    if (length >= 0x80) {
      const count = length & 0x7f;
      // X.690 §10.1: DER has no indefinite lengths. Four octets are more than any limit of this package.
      if (count === 0) throw new DerError(`indefinite length at offset ${at - 1}`);
      if (count > 4 || at + count > end) throw new DerError(`length at offset ${at - 1} goes past the end`);
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + (bytes[at++] ?? 0);
      if (length < 0x80 || length < 2 ** (8 * (count - 1)))
        throw new DerError(`length at offset ${at - count - 1} is not minimal`);
    }
    if (length > end - at) throw new DerError(`length at offset ${at - 1} goes past the end`);
    this.contentsStart = at;
    this.position = at + length;
    return tag;
  }
}

// EXTERNAL, EMBEDDED PDV, SEQUENCE, SET and CHARACTER STRING; all other universal types are primitive in DER.
function isConstructedType(number: number): boolean {
  return number === 16 || number === 17 || number === 8 || number === 11 || number === 29;
}

function describeTag(tag: number | undefined): string {
  if (tag === undefined) return 'an element';
  for (const [name, value] of Object.entries(tags)) if (value === tag) return name;
  return `tag ${tag.toString(16).padStart(2, '0')}`;
}

// An implicit tag hides the type, so the caller's word is taken; a universal tag must be the right one.
function expectType(element: DerElement, tag: number): void {
  if (element.tag !== tag && element.tag < 0x80) {
    throw new DerError(`${describeTag(element.tag)} where ${describeTag(tag)} must stand`);
  }
}

/** Reads exactly one element, which must have `expectedTag` if one is given, and nothing after it. */
export function readOnly(bytes: Uint8Array, expectedTag?: number): DerElement {
  const cursor = new DerCursor(bytes);
  const element = cursor.read(expectedTag);
  cursor.expectEnd();
  return element;
}

/** A cursor over the contents of a value given as element or as its bytes; `expectEnd` was done for the bytes. */
export function open(value: DerElement | Uint8Array, tag: number): DerCursor {
  const element = value instanceof Uint8Array ? readOnly(value, tag) : value;
  if (element.tag !== tag) throw new DerError(`${describeTag(element.tag)} where ${describeTag(tag)} must stand`);
  return new DerCursor(element.contents, 1);
}

/** Refuses bytes that are not exactly one DER element down to its leaves; for values that are passed on unread. */
export function expectDer(bytes: Uint8Array): void {
  walk(readOnly(bytes), 0);
}

function walk(element: DerElement, depth: number): void {
  if ((element.tag & 0x20) === 0) return;
  const cursor = new DerCursor(element.contents, depth + 1);
  while (!cursor.isAtEnd) walk(cursor.read(), depth + 1);
}

/** Dotted text of an OBJECT IDENTIFIER of at most 128 octets (X.690 §8.19). */
export function readObjectIdentifier(element: DerElement): string {
  expectType(element, tags.objectIdentifier);
  return decodeObjectIdentifier(element.contents);
}

/** Contents octets of an INTEGER or ENUMERATED, two's complement, proved minimal (X.690 §8.3.2). */
export function readInteger(element: DerElement): Uint8Array {
  if (element.tag !== tags.enumerated) expectType(element, tags.integer);
  const { contents } = element;
  const [first = 0, second = 0] = contents;
  if (contents.length === 0) throw new DerError('an integer is empty');
  if (contents.length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw new DerError('an integer is not minimal');
  }
  return contents;
}

/** Value of an INTEGER or ENUMERATED of at most six octets. */
export function readSmallInteger(element: DerElement): number {
  const contents = readInteger(element);
  if (contents.length > 6) throw new DerError('an integer is too big');
  let value = (contents[0] ?? 0) >= 0x80 ? -1 : 0;
  for (let i = 0; i < contents.length; i++) value = value * 256 + (contents[i] ?? 0);
  return value;
}

/** Value of an INTEGER of any size. */
export function readBigInteger(element: DerElement): bigint {
  const contents = readInteger(element);
  const magnitude = BigInt(`0x${Buffer.from(contents.buffer, contents.byteOffset, contents.length).toString('hex')}`);
  return BigInt.asIntN(contents.length * 8, magnitude);
}

/** Value of a BOOLEAN: FF is true, 00 is false, nothing else is DER (X.690 §11.1). */
export function readBoolean(element: DerElement): boolean {
  expectType(element, tags.boolean);
  const { contents } = element;
  const octet = contents[0];
  if (contents.length !== 1 || (octet !== 0 && octet !== 0xff)) throw new DerError('a boolean is neither 00 nor FF');
  return octet === 0xff;
}

/** A BIT STRING: its octets and how many bits of the last one are unused; those are zero (X.690 §11.2.1). */
export function readBitString(element: DerElement): { readonly unusedBits: number; readonly bytes: Uint8Array } {
  expectType(element, tags.bitString);
  const { contents } = element;
  const unusedBits = contents[0] ?? 8;
  if (unusedBits > 7 || (contents.length === 1 && unusedBits !== 0))
    throw new DerError('a bit string has no valid bit count');
  if (((contents[contents.length - 1] ?? 0) & ((1 << unusedBits) - 1)) !== 0 && contents.length > 1) {
    throw new DerError('unused bits of a bit string are not zero');
  }
  return { unusedBits, bytes: contents.subarray(1) };
}

/** Octets of an OCTET STRING. */
export function readOctetString(element: DerElement): Uint8Array {
  expectType(element, tags.octetString);
  return element.contents;
}

/** Refuses a NULL that is not empty. */
export function readNull(element: DerElement): void {
  expectType(element, tags.null);
  if (element.contents.length !== 0) throw new DerError('a null is not empty');
}

/** Instant of a UTCTime or GeneralizedTime in the one form of RFC 5280 §4.1.2.5: seconds, no fraction, Z. */
export function readTime(element: DerElement): Date {
  return decodeTime(element.tag, element.contents);
}

/** Text and string tag of a character string; a character outside of the repertoire of the type is refused. */
export function readString(element: DerElement): { readonly tag: number; readonly value: string } {
  return { tag: element.tag, value: decodeString(element.tag, element.contents) };
}
