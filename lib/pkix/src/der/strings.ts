// Character strings of ASN.1 between contents octets and text (X.690 §8.23). Every string type is held to its own
// repertoire; a character outside of it is an error and never a replacement character.
import { DerError } from './error.ts';

/** Identifier octets of the string types this package reads and writes (X.680 §8.6, table 1). */
export const stringTags = {
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
} as const;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

// X.680 §41.4: the PrintableString repertoire.
const printable = new Uint8Array(256);
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?") {
  printable[character.charCodeAt(0)] = 1;
}

/** Whether all characters are in the PrintableString repertoire (X.680 §41.4). */
export function isPrintable(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f || printable[code] !== 1) return false;
  }
  return true;
}

/** Whether all characters are ASCII, which is the IA5String repertoire. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/**
 * Text of a character string.
 *
 * @throws DerError when the tag is no string type or an octet is outside of the repertoire of its type.
 */
export function decodeString(tag: number, contents: Uint8Array): string {
  switch (tag) {
    case stringTags.utf8String:
      return decodeUtf8(contents);
    case stringTags.printableString:
      for (let i = 0; i < contents.length; i++) {
        if (printable[contents[i] ?? 0] !== 1)
          throw new DerError('a PrintableString holds a character outside of its set');
      }
      return latin1(contents);
    case stringTags.ia5String:
      for (let i = 0; i < contents.length; i++) {
        if ((contents[i] ?? 0) > 0x7f) throw new DerError('an IA5String holds a character outside of its set');
      }
      return latin1(contents);
    case stringTags.visibleString:
      for (let i = 0; i < contents.length; i++) {
        const octet = contents[i] ?? 0;
        if (octet < 0x20 || octet > 0x7e) throw new DerError('a VisibleString holds a character outside of its set');
      }
      return latin1(contents);
    case stringTags.numericString:
      for (let i = 0; i < contents.length; i++) {
        const octet = contents[i] ?? 0;
        if (octet !== 0x20 && (octet < 0x30 || octet > 0x39)) throw new DerError('a NumericString holds a non-digit');
      }
      return latin1(contents);
    case stringTags.teletexString:
      // Nobody writes T.61 with escape sequences; in practice, and in RFC 5280 appendix B, the octets are Latin-1.
      return latin1(contents);
    case stringTags.bmpString:
      return decodeBmp(contents);
    case stringTags.universalString:
      return decodeUniversal(contents);
    default:
      throw new DerError(`tag ${tag.toString(16).padStart(2, '0')} is not a character string`);
  }
}

function decodeUtf8(contents: Uint8Array): string {
  // TextDecoder costs more than a short name is worth: plain ASCII goes the short way.
  for (let i = 0; i < contents.length; i++) {
    if ((contents[i] ?? 0) > 0x7f) {
      try {
        return utf8.decode(contents);
      } catch (cause) {
        throw new DerError('a UTF8String is not valid UTF-8', { cause });
      }
    }
  }
  return latin1(contents);
}

function latin1(contents: Uint8Array): string {
  return Buffer.from(contents.buffer, contents.byteOffset, contents.length).toString('latin1');
}

function decodeBmp(contents: Uint8Array): string {
  if (contents.length % 2 !== 0) throw new DerError('a BMPString has an odd number of octets');
  let text = '';
  for (let i = 0; i < contents.length; i += 2) {
    const unit = ((contents[i] ?? 0) << 8) | (contents[i + 1] ?? 0);
    // X.680 §41.15: the BMP has no surrogates.
    if (unit >= 0xd800 && unit <= 0xdfff) throw new DerError('a BMPString holds a surrogate');
    text += String.fromCharCode(unit);
  }
  return text;
}

function decodeUniversal(contents: Uint8Array): string {
  if (contents.length % 4 !== 0) throw new DerError('a UniversalString is not made of four octets a character');
  let text = '';
  for (let i = 0; i < contents.length; i += 4) {
    const high = ((contents[i] ?? 0) << 8) | (contents[i + 1] ?? 0);
    const point = high * 0x10000 + (((contents[i + 2] ?? 0) << 8) | (contents[i + 3] ?? 0));
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
      throw new DerError('a UniversalString holds no Unicode character');
    }
    text += String.fromCodePoint(point);
  }
  return text;
}

/**
 * Contents octets of a character string of the given type.
 *
 * @throws DerError when the text has a character outside of the repertoire of the type.
 */
export function encodeString(tag: number, text: string): Uint8Array {
  switch (tag) {
    case stringTags.utf8String:
      if (!text.isWellFormed()) throw new DerError('a text with a lone surrogate cannot be written as UTF8String');
      return Buffer.from(text, 'utf8');
    case stringTags.printableString:
      if (!isPrintable(text)) throw new DerError(`'${text}' cannot be written as PrintableString`);
      return Buffer.from(text, 'latin1');
    case stringTags.ia5String:
      if (!isAscii(text)) throw new DerError(`'${text}' cannot be written as IA5String`);
      return Buffer.from(text, 'latin1');
    case stringTags.visibleString:
      if (!/^[ -~]*$/.test(text)) throw new DerError(`'${text}' cannot be written as VisibleString`);
      return Buffer.from(text, 'latin1');
    case stringTags.numericString:
      if (!/^[0-9 ]*$/.test(text)) throw new DerError(`'${text}' cannot be written as NumericString`);
      return Buffer.from(text, 'latin1');
    case stringTags.teletexString:
      for (let i = 0; i < text.length; i++) {
        if (text.charCodeAt(i) > 0xff) throw new DerError(`'${text}' cannot be written as TeletexString`);
      }
      return Buffer.from(text, 'latin1');
    case stringTags.bmpString:
      // A surrogate, paired or not, means a character that the BMP does not have.
      if (/[\ud800-\udfff]/.test(text)) throw new DerError(`'${text}' cannot be written as BMPString`);
      return Buffer.from(text, 'utf16le').swap16();
    case stringTags.universalString: {
      if (!text.isWellFormed()) throw new DerError('a text with a lone surrogate cannot be written as UniversalString');
      const points = Array.from(text, (character) => character.codePointAt(0) ?? 0);
      const octets = Buffer.alloc(points.length * 4);
      points.forEach((point, i) => {
        octets.writeUInt32BE(point, i * 4);
      });
      return octets;
    }
    default:
      throw new DerError(`tag ${tag.toString(16).padStart(2, '0')} is not a character string`);
  }
}
