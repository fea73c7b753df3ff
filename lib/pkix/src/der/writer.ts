// Writes DER (X.690 §10, §11): every function gives a whole element, built from whole elements. It must never write
// what der/reader would refuse; a value that cannot be written is a DerError.
import { DerError } from './error.ts';
import { encodeObjectIdentifier } from './object-identifier.ts';
import { encodeString, stringTags } from './strings.ts';
import { compactTime } from './time.ts';

/** The parts one after the other. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** An element with this identifier octet around the parts (X.690 §8.1). */
export function wrap(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const lengthOctets = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x1000000 ? 3 : 4;
  const bytes = Buffer.allocUnsafe(2 + lengthOctets + length);
  bytes[0] = tag;
  let at = 2;
  if (lengthOctets === 0) bytes[1] = length;
  else {
    bytes[1] = 0x80 | lengthOctets;
    for (let shift = (lengthOctets - 1) * 8; shift >= 0; shift -= 8) bytes[at++] = length >>> shift;
  }
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Identifier and length octets alone, for contents of `length` octets that are too large to hold (X.690 §8.1). */
export function writeHead(tag: number, length: number): Uint8Array {
  if (!Number.isSafeInteger(length) || length < 0 || length > 0xffffffff) {
    throw new DerError(`contents of ${length} octets cannot be written`);
  }
  if (length < 0x80) return Uint8Array.of(tag, length);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 0x100)) octets.unshift(rest % 0x100);
  return Uint8Array.of(tag, 0x80 | octets.length, ...octets);
}

/** SEQUENCE or SEQUENCE OF. */
export function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return wrap(0x30, ...parts);
}

/** SET, its parts in the order given; the caller puts them in the order of their tags (X.690 §10.3). */
export function set(...parts: readonly Uint8Array[]): Uint8Array {
  return wrap(0x31, ...parts);
}

/** SET OF: the parts are sorted as X.690 §11.6 demands. */
export function setOf(parts: readonly Uint8Array[]): Uint8Array {
  return wrap(0x31, ...sortForSetOf(parts));
}

/** The parts of a SET OF in the order of X.690 §11.6, for a SET OF under an implicit tag. */
export function sortForSetOf(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  return parts.length < 2 ? parts : parts.toSorted((a, b) => Buffer.compare(a, b));
}

/**
 * INTEGER of a number, a bigint, or octets. Octets are an unsigned magnitude, big-endian: leading zeros are removed and
 * one is put in front when the highest bit is set, so that the integer is never negative.
 */
export function integer(value: Uint8Array | number | bigint): Uint8Array {
  return wrap(0x02, typeof value === 'object' ? unsignedContents(value) : signedContents(value));
}

/** ENUMERATED. */
export function enumerated(value: number): Uint8Array {
  return wrap(0x0a, signedContents(value));
}

function unsignedContents(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const trimmed = magnitude.subarray(start);
  if (trimmed.length > 0 && (trimmed[0] ?? 0) < 0x80) return trimmed;
  return concat(Uint8Array.of(0), trimmed);
}

function signedContents(value: number | bigint): Uint8Array {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new DerError(`${value} is not an integer`);
    if (value >= 0 && value < 0x80) return Uint8Array.of(value);
  }
  let rest = BigInt(value);
  const octets: number[] = [];
  for (;;) {
    const octet = Number(BigInt.asUintN(8, rest));
    octets.unshift(octet);
    rest >>= 8n;
    if ((rest === 0n && octet < 0x80) || (rest === -1n && octet >= 0x80)) return Uint8Array.from(octets);
  }
}

const objectIdentifiers = new Map<string, Uint8Array>();

/** OBJECT IDENTIFIER of dotted text; the bytes are shared between calls and must not be changed. */
export function objectIdentifier(dotted: string): Uint8Array {
  const known = objectIdentifiers.get(dotted);
  if (known !== undefined) return known;
  const bytes = wrap(0x06, encodeObjectIdentifier(dotted));
  // Names given by strangers come through here: what is remembered has an end.
  if (objectIdentifiers.size < 1024) objectIdentifiers.set(dotted, bytes);
  return bytes;
}

/** OCTET STRING. */
export function octetString(bytes: Uint8Array): Uint8Array {
  return wrap(0x04, bytes);
}

/** BIT STRING; the unused bits of the last octet must be zero (X.690 §11.2.1). */
export function bitString(bytes: Uint8Array, unusedBits = 0): Uint8Array {
  const last = bytes[bytes.length - 1] ?? 0;
  const isEmptyWithBits = bytes.length === 0 && unusedBits !== 0;
  if (unusedBits < 0 || unusedBits > 7 || isEmptyWithBits || (last & ((1 << unusedBits) - 1)) !== 0) {
    throw new DerError('unused bits of a bit string are not zero');
  }
  return wrap(0x03, Uint8Array.of(unusedBits), bytes);
}

/** BIT STRING of a named bit list: the given bits set, trailing zero bits removed (X.690 §11.2.2). */
export function namedBitList(bits: readonly number[]): Uint8Array {
  if (bits.length === 0) return bitString(new Uint8Array(0));
  const highest = Math.max(...bits);
  const bytes = new Uint8Array((highest >> 3) + 1);
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return bitString(bytes, 7 - (highest & 7));
}

/** UTF8String. */
export function utf8String(text: string): Uint8Array {
  return characterString(stringTags.utf8String, text);
}

/** PrintableString; refuses characters outside of its set. */
export function printableString(text: string): Uint8Array {
  return characterString(stringTags.printableString, text);
}

/** IA5String; refuses characters outside of ASCII. */
export function ia5String(text: string): Uint8Array {
  return characterString(stringTags.ia5String, text);
}

/** BMPString; refuses characters outside of the basic multilingual plane. */
export function bmpString(text: string): Uint8Array {
  return characterString(stringTags.bmpString, text);
}

/** Character string of the type whose identifier octet is `tag`. */
export function characterString(tag: number, text: string): Uint8Array {
  return wrap(tag, encodeString(tag, text));
}

/** BOOLEAN (X.690 §11.1). */
export function boolean(value: boolean): Uint8Array {
  return Uint8Array.of(0x01, 0x01, value ? 0xff : 0x00);
}

/** NULL. */
export function nullValue(): Uint8Array {
  return Uint8Array.of(0x05, 0x00);
}

/** Time as RFC 5280 §4.1.2.5 wants it: UTCTime through 2049, GeneralizedTime from 2050; fractions of a second are cut. */
export function time(date: Date): Uint8Array {
  const year = date.getUTCFullYear();
  if (year < 1950 || year > 2049) return generalizedTime(date);
  return wrap(0x17, Buffer.from(compactTime(date).slice(2), 'latin1'));
}

/** GeneralizedTime with seconds and Z (RFC 5280 §4.1.2.5.2); fractions of a second are cut. */
export function generalizedTime(date: Date): Uint8Array {
  return wrap(0x18, Buffer.from(compactTime(date), 'latin1'));
}

/** `[n] EXPLICIT`: the element inside of a context-specific, constructed one. */
export function explicit(n: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return wrap(0xa0 | n, ...parts);
}

/** `[n] IMPLICIT` over a primitive type: the element with its identifier octet replaced. */
export function implicit(n: number, part: Uint8Array): Uint8Array {
  return retag(0x80 | n, part);
}

/** `[n] IMPLICIT` over a constructed type: the element with its identifier octet replaced. */
export function implicitConstructed(n: number, part: Uint8Array): Uint8Array {
  return retag(0xa0 | n, part);
}

function retag(tag: number, part: Uint8Array): Uint8Array {
  const bytes = Buffer.from(part);
  bytes[0] = tag;
  return bytes;
}
