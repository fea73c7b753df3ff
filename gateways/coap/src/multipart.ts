// application/multipart-core, RFC 8710: a CBOR array of content formats and byte strings by turns, in which RFC 9148 §4.8 has a
// generated key travel beside its certificate. Writing is for the gate, reading for whoever plays its client.

import { Decoder, Encoder } from 'cbor-x';

/** A part: a content format and what is in it. */
export type MultipartPart = {
  /** CoAP content format, 0 to 65535. */
  readonly contentFormat: number;
  readonly content: Uint8Array;
};

/** The octets are no multipart-core, RFC 8710 §2. */
export class MultipartError extends Error {
  override readonly name = 'MultipartError';
}

const maximumOctets = 65_536;
const maximumParts = 8;

const encoder = new Encoder({ useRecords: false, tagUint8Array: false, pack: false });
const decoder = new Decoder({ useRecords: false, mapsAsObjects: false });

/** Writes parts in their order. The result is a copy of its own, which can be overwritten; the parts are the caller's. */
export function writeMultipart(parts: readonly MultipartPart[]): Uint8Array {
  const items = parts.flatMap(({ contentFormat, content }) => [
    contentFormat,
    Buffer.from(content.buffer, content.byteOffset, content.byteLength),
  ]);
  const written = encoder.encode(items);
  const copy = Buffer.from(written);
  // What the encoder wrote stays in its own pool, and a part may be a key.
  written.fill(0);
  return copy;
}

/**
 * Reads parts. A part that is null, RFC 8710 §2, is passed over: there was nothing to send.
 *
 * @throws {MultipartError} when the octets are anything else, or more than a reader should bear
 */
export function readMultipart(octets: Uint8Array): readonly MultipartPart[] {
  const items = readArray(octets);
  if (items.length % 2 !== 0) throw new MultipartError('a part without content');
  if (items.length > 2 * maximumParts) throw new MultipartError('too many parts');
  const parts: MultipartPart[] = [];
  for (let index = 0; index < items.length; index += 2) {
    const [contentFormat, content] = items.slice(index, index + 2);
    if (!isContentFormat(contentFormat)) throw new MultipartError('a content format is no number of two octets');
    if (content === null) continue;
    if (!(content instanceof Uint8Array)) throw new MultipartError('a part is no byte string');
    parts.push({ contentFormat, content: Buffer.from(content) });
  }
  return parts;
}

function readArray(octets: Uint8Array): readonly unknown[] {
  if (octets.length > maximumOctets) throw new MultipartError('too long');
  let decoded: unknown;
  try {
    decoded = decoder.decode(octets);
  } catch (cause) {
    throw new MultipartError('not CBOR', { cause });
  }
  if (!Array.isArray(decoded)) throw new MultipartError('not an array');
  return decoded;
}

function isContentFormat(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff;
}
