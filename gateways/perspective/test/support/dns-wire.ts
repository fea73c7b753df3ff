// Writes DNS messages for tests, right or wrong, octet by octet: what the reader under test is given must not come from the
// code that it is made of.

import { parseIpAddress } from '@gatehouse/pkix/ip-address';

/** A record as it stands in a message. */
export type WireRecord = {
  readonly name: string;
  readonly type: number;
  readonly class?: number;
  readonly ttl?: number;
  readonly data: Uint8Array;
};

/** Parts of a message. */
export type WireMessage = {
  readonly id: number;
  readonly flags?: number;
  readonly rcode?: number;
  readonly questions?: readonly { readonly name: string; readonly type: number; readonly class?: number }[];
  readonly answers?: readonly WireRecord[];
  readonly authorities?: readonly WireRecord[];
  readonly additionals?: readonly WireRecord[];
};

/** Numbers of the types that tests use. */
export const typeNumbers = { A: 1, NS: 2, CNAME: 5, SOA: 6, TXT: 16, AAAA: 28, OPT: 41, RRSIG: 46, CAA: 257 } as const;

/** Bits of the header, RFC 1035 §4.1.1, RFC 4035 §3. */
export const flags = { response: 0x8000, truncated: 0x0200, authenticData: 0x0020 } as const;

/** Octets of a name without compression; `\.` is a dot within a label. */
export function wireName(name: string): Buffer {
  const labels =
    name === '.' ? [] : name.split(/(?<!\\)\./).map((label) => Buffer.from(label.replaceAll('\\.', '.'), 'latin1'));
  return Buffer.concat([...labels.flatMap((label) => [Buffer.from([label.length]), label]), Buffer.from([0])]);
}

/** Octets of a message. */
export function wireMessage(message: WireMessage): Buffer {
  const { questions = [], answers = [], authorities = [], additionals = [] } = message;
  const head = [
    message.id,
    (message.flags ?? flags.response) | (message.rcode ?? 0),
    questions.length,
    answers.length,
    authorities.length,
    additionals.length,
  ];
  return Buffer.concat([
    ...head.map(uint16),
    ...questions.flatMap(({ name, type, class: klass = 1 }) => [wireName(name), uint16(type), uint16(klass)]),
    ...[...answers, ...authorities, ...additionals].flatMap(wireRecord),
  ]);
}

function wireRecord({ name, type, class: klass = 1, ttl = 120, data }: WireRecord): readonly Uint8Array[] {
  return [wireName(name), uint16(type), uint16(klass), uint32(ttl), uint16(data.length), data];
}

/** A record of an address. */
export function addressRecord(name: string, address: string, ttl = 120): WireRecord {
  const data = parseIpAddress(address) ?? new Uint8Array();
  return { name, type: data.length === 4 ? typeNumbers.A : typeNumbers.AAAA, ttl, data };
}

/** A TXT record of one or several strings. */
export function txtRecord(name: string, strings: readonly string[], ttl = 120): WireRecord {
  const data = Buffer.concat(
    strings.flatMap((text) => [Buffer.from([Buffer.byteLength(text, 'latin1')]), Buffer.from(text, 'latin1')]),
  );
  return { name, type: typeNumbers.TXT, ttl, data };
}

/** A CAA record. */
export function caaRecord(name: string, caaFlags: number, tag: string, value: string, ttl = 120): WireRecord {
  const data = Buffer.concat([Buffer.from([caaFlags, tag.length]), Buffer.from(`${tag}${value}`, 'latin1')]);
  return { name, type: typeNumbers.CAA, ttl, data };
}

/** A CNAME record. */
export function aliasRecord(name: string, target: string, ttl = 300): WireRecord {
  return { name, type: typeNumbers.CNAME, ttl, data: wireName(target) };
}

/** A SOA record, for answers that there is nothing. */
export function soaRecord(name: string, ttl: number, minimum: number): WireRecord {
  const numbers = [1, 1, 1, 1, minimum].map(uint32);
  return {
    name,
    type: typeNumbers.SOA,
    ttl,
    data: Buffer.concat([wireName('ns.test'), wireName('root.test'), ...numbers]),
  };
}

/** OPT with options, RFC 6891 §6.1.2. */
export function optRecord(
  options: readonly (readonly [code: number, data: Uint8Array])[] = [],
  extendedRcode = 0,
): WireRecord {
  const data = Buffer.concat(options.flatMap(([code, octets]) => [uint16(code), uint16(octets.length), octets]));
  return { name: '.', type: typeNumbers.OPT, class: 1232, ttl: extendedRcode * 2 ** 24, data };
}

/** Extended DNS Error, RFC 8914 §2. */
export function extendedError(code: number, text: string): WireRecord {
  return optRecord([[15, Buffer.concat([uint16(code), Buffer.from(text)])]]);
}

/** Two octets. */
export function uint16(value: number): Buffer {
  const octets = Buffer.alloc(2);
  octets.writeUInt16BE(value);
  return octets;
}

function uint32(value: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets;
}
