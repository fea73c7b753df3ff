// Object identifiers between their contents octets (X.690 §8.19) and dotted text. Foreign identifiers are bounded in
// length before any arithmetic, because an arc of a million digits costs quadratic time; what is remembered is bounded.
import { DerError } from './error.ts';

/** Longest contents accepted: no identifier in use comes near, and big-number arithmetic stays cheap below it. */
export const maximumObjectIdentifierOctets = 128;

// A direct-mapped cache: the same few dozen identifiers are read over and over, and a hit makes no string. Its size is
// fixed, so foreign input can evict entries but never grow it.
const slots = 1024;
const longestCached = 24;
const cachedContents = new Array<Uint8Array | undefined>(slots).fill(undefined);
const cachedText = new Array<string>(slots).fill('');

/**
 * Dotted text of the contents octets of an OBJECT IDENTIFIER.
 *
 * @throws DerError when empty, longer than {@link maximumObjectIdentifierOctets}, cut off, or not minimal (X.690 §8.19.2).
 */
export function decodeObjectIdentifier(contents: Uint8Array): string {
  const length = contents.length;
  if (length > longestCached) return decode(contents);
  let hash = length;
  for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + (contents[i] ?? 0)) | 0;
  const slot = (hash ^ (hash >>> 10)) & (slots - 1);
  const known = cachedContents[slot];
  if (known !== undefined && areEqual(known, contents)) return cachedText[slot] ?? '';
  const text = decode(contents);
  cachedContents[slot] = Uint8Array.from(contents);
  cachedText[slot] = text;
  return text;
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function decode(contents: Uint8Array): string {
  const length = contents.length;
  if (length === 0) throw new DerError('an object identifier is empty');
  if (length > maximumObjectIdentifierOctets) {
    throw new DerError(`an object identifier is longer than ${maximumObjectIdentifierOctets} octets`);
  }
  if (((contents[length - 1] ?? 0) & 0x80) !== 0) throw new DerError('an object identifier is cut off');
  let text = '';
  let arc = 0;
  let bigArc: bigint | undefined;
  let isFirstOctetOfArc = true;
  for (let i = 0; i < length; i++) {
    const octet = contents[i] ?? 0;
    // X.690 §8.19.2: the leading octet of a subidentifier is never 80.
    if (isFirstOctetOfArc && octet === 0x80) throw new DerError('an object identifier has a padded arc');
    if (bigArc !== undefined) bigArc = (bigArc << 7n) | BigInt(octet & 0x7f);
    else if (arc < 2 ** 45) arc = arc * 128 + (octet & 0x7f);
    else bigArc = (BigInt(arc) << 7n) | BigInt(octet & 0x7f);
    isFirstOctetOfArc = (octet & 0x80) === 0;
    if (!isFirstOctetOfArc) continue;
    if (text !== '') text += `.${bigArc ?? arc}`;
    else if (bigArc !== undefined) text = `2.${bigArc - 80n}`;
    else text = arc < 40 ? `0.${arc}` : arc < 80 ? `1.${arc - 40}` : `2.${arc - 80}`;
    arc = 0;
    bigArc = undefined;
  }
  return text;
}

/**
 * Contents octets of a dotted object identifier.
 *
 * @throws DerError when the text is not an object identifier: two arcs at least, first 0 to 2, no leading zeros.
 */
export function encodeObjectIdentifier(dotted: string): Uint8Array {
  if (dotted.length > 512 || !/^[0-2](\.(0|[1-9][0-9]*))+$/.test(dotted)) {
    throw new DerError(`'${dotted.slice(0, 64)}' is not an object identifier`);
  }
  const arcs = dotted.split('.').map(BigInt);
  const [root = 0n, second = 0n] = arcs;
  // X.660 §7.6: below roots 0 and 1 there are forty arcs.
  if (root < 2n && second > 39n) throw new DerError(`'${dotted}' is not an object identifier: second arc above 39`);
  const octets: number[] = [];
  for (const arc of [root * 40n + second, ...arcs.slice(2)]) {
    const group = [Number(arc & 0x7fn)];
    for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) group.unshift(Number(rest & 0x7fn) | 0x80);
    octets.push(...group);
  }
  if (octets.length > maximumObjectIdentifierOctets) {
    throw new DerError(`an object identifier is longer than ${maximumObjectIdentifierOctets} octets`);
  }
  return Uint8Array.from(octets);
}
