// CoAP messages octet by octet, RFC 7252 §3, as no library would send them: the parts are given as they are to stand there,
// whether they make sense or not. What comes back is read as strictly as need be to tell answers apart.

/** An option by number. */
export type RawOption = readonly [number: number, value: Uint8Array | string | number];

/** What a message is made of; what is left out is as in a confirmable request without a token. */
export type RawMessage = {
  readonly type?: 'con' | 'non' | 'ack' | 'rst' | undefined;
  /** `0.02`. */
  readonly code: string;
  readonly messageId: number;
  readonly token?: Uint8Array | undefined;
  /** In any order. */
  readonly options?: readonly RawOption[] | undefined;
  readonly payload?: Uint8Array | undefined;
};

/** A message that came. */
export type ReadMessage = {
  readonly type: 'con' | 'non' | 'ack' | 'rst';
  readonly code: string;
  readonly messageId: number;
  readonly token: Buffer;
  readonly options: ReadonlyMap<number, Buffer>;
  readonly payload: Buffer;
};

const types = ['con', 'non', 'ack', 'rst'] as const;

/** Numbers of options, RFC 7252 §12.2, RFC 7959 §6, RFC 9175 §5. */
export const optionNumbers = {
  uriPath: 11,
  contentFormat: 12,
  maxAge: 14,
  uriQuery: 15,
  accept: 17,
  block2: 23,
  block1: 27,
  size2: 28,
  proxyUri: 35,
  size1: 60,
  echo: 252,
  requestTag: 292,
} as const;

/** The value of a block option, RFC 7959 §2.2. */
export function block(number: number, hasMore: boolean, exponent: number): Uint8Array {
  return toUint(number * 16 + (hasMore ? 8 : 0) + exponent);
}

/** The options of a path. */
export function pathOptions(path: string): readonly RawOption[] {
  return path
    .split('/')
    .slice(1)
    .map((segment) => [optionNumbers.uriPath, segment]);
}

/** Writes a message. */
export function encode(message: RawMessage): Buffer {
  const { type = 'con', code, messageId, token = new Uint8Array(0), options = [], payload } = message;
  const [detailClass = 0, detail = 0] = code.split('.').map(Number);
  const head = Buffer.of(
    0x40 | (types.indexOf(type) << 4) | token.length,
    (detailClass << 5) | detail,
    messageId >> 8,
    messageId & 0xff,
  );
  const body = payload === undefined ? [] : [Buffer.of(0xff), payload];
  return Buffer.concat([head, token, encodeOptions(options), ...body]);
}

function encodeOptions(options: readonly RawOption[]): Buffer {
  const written: Uint8Array[] = [];
  let last = 0;
  for (const [number, value] of options.toSorted(([one], [other]) => one - other)) {
    const octets = typeof value === 'number' ? toUint(value) : Buffer.from(value);
    const [delta, deltaRest] = nibble(number - last);
    const [length, lengthRest] = nibble(octets.length);
    written.push(Buffer.of((delta << 4) | length), deltaRest, lengthRest, octets);
    last = number;
  }
  return Buffer.concat(written);
}

/** RFC 7252 §3.1: a nibble, and what follows where it does not suffice. */
function nibble(value: number): readonly [number, Uint8Array] {
  if (value < 13) return [value, new Uint8Array(0)];
  if (value < 269) return [13, Buffer.of(value - 13)];
  return [14, Buffer.of((value - 269) >> 8, (value - 269) & 0xff)];
}

/** RFC 7252 §3.2: as few octets as it takes. */
function toUint(value: number): Buffer {
  const octets: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Buffer.from(octets);
}

/** Reads a message. @throws {RangeError} when it is none */
export function decode(octets: Buffer): ReadMessage {
  const first = octets.readUInt8(0);
  const code = octets.readUInt8(1);
  const type = types[(first >> 4) & 3];
  if (type === undefined || first >> 6 !== 1) throw new RangeError('it is no message of version 1');
  const tokenEnd = 4 + (first & 0x0f);
  const options = new Map<number, Buffer>();
  let at = tokenEnd;
  let number = 0;
  const extended = (short: number): number => {
    if (short < 13) return short;
    const length = short - 12;
    const value = octets.readUIntBE(at, length) + (short === 13 ? 13 : 269);
    at += length;
    return value;
  };
  while (at < octets.length && octets[at] !== 0xff) {
    const head = octets.readUInt8(at);
    at += 1;
    number += extended(head >> 4);
    const length = extended(head & 0x0f);
    if (at + length > octets.length) throw new RangeError('an option is not whole');
    options.set(number, octets.subarray(at, at + length));
    at += length;
  }
  return {
    type,
    code: `${code >> 5}.${String(code & 0x1f).padStart(2, '0')}`,
    messageId: octets.readUInt16BE(2),
    token: octets.subarray(4, tokenEnd),
    options,
    payload: octets.subarray(at + 1),
  };
}
