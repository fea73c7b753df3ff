// DNS messages (RFC 1035 §4, RFC 6891, RFC 8914): queries out, answers in. Queries are written by dns-packet; answers are
// read here, because that library reads beyond RDLENGTH and runs labels with dots together. What is malformed anywhere
// is malformed as a whole, and nothing here throws for what another machine sent.
import { formatIpAddress } from '@gatehouse/pkix/ip-address';
import { AUTHENTIC_DATA, CHECKING_DISABLED, DNSSEC_OK, encode, RECURSION_DESIRED } from 'dns-packet';
import { recordTypes } from './codes.ts';
import { readDomainName } from './name.ts';

/** What is asked for. */
export type QueriedType = 'A' | 'AAAA' | 'CAA' | 'TXT';

/** One query. */
export type DnsQuery = {
  readonly id: number;
  readonly name: string;
  readonly type: QueriedType;
  /** RFC 4035 §3.2.2: only to explain a failure, never to permit anything. */
  readonly isCheckingDisabled: boolean;
  /** RFC 6891; off for servers that answer FORMERR to it. */
  readonly hasEdns: boolean;
};

/** CAA, RFC 8659 §4.1; tag and value as the octets read in Latin-1. */
export type CaaRecord = { readonly flags: number; readonly tag: string; readonly value: string };

/** What a record says; types that nobody asks for here are only passed over. */
export type RecordData =
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'CNAME'; readonly target: string }
  | { readonly type: 'TXT'; readonly text: string }
  | { readonly type: 'CAA'; readonly caa: CaaRecord }
  | { readonly type: 'SOA'; readonly minimum: number };

/** One record of class IN. */
export type DnsRecord = { readonly name: string; readonly ttl: number; readonly data: RecordData };

/** An answer. */
export type DnsMessage = {
  readonly id: number;
  readonly isResponse: boolean;
  readonly isTruncated: boolean;
  readonly isAuthenticData: boolean;
  readonly rcode: number;
  readonly question: { readonly name: string; readonly type: number; readonly class: number };
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly hasEdns: boolean;
  /** RFC 8914, in the order of the message. */
  readonly extendedErrors: readonly { readonly code: number; readonly text: string }[];
};

/** EDNS buffer that avoids fragments, RFC 9715 §3.2. */
const udpPayloadOctets = 1232;
const classIn = 1;
/** RFC 8914 §2. */
const extendedErrorOption = 15;

/** Octets of a query: RD and AD set, DO set, CD clear unless asked for. */
export function writeQuery(query: DnsQuery): Uint8Array {
  const opt = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: udpPayloadOctets,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: DNSSEC_OK,
    flag_do: true,
    options: [],
  } as const;
  return encode({
    type: 'query',
    id: query.id,
    flags: RECURSION_DESIRED | AUTHENTIC_DATA | (query.isCheckingDisabled ? CHECKING_DISABLED : 0),
    questions: [{ name: query.name, type: query.type, class: 'IN' }],
    additionals: query.hasEdns ? [{ ...opt, options: [] }] : [],
  });
}

/** Whether `message` answers `query`: response, id and question, RFC 5452 §9.1. */
export function isAnswerTo(query: DnsQuery, message: DnsMessage): boolean {
  const { question } = message;
  return (
    message.isResponse &&
    message.id === query.id &&
    question.name === query.name.toLowerCase() &&
    question.type === recordTypes[query.type] &&
    question.class === classIn
  );
}

/** Reads an answer; undefined when it is malformed anywhere, or has not exactly one question. */
export function readMessage(bytes: Uint8Array): DnsMessage | undefined {
  if (bytes.length < 12) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = view.getUint16(2);
  if (view.getUint16(4) !== 1) return undefined;
  const name = readDomainName(bytes, 12);
  if (name === undefined || name.end + 4 > bytes.length) return undefined;
  const question = { name: name.name, type: view.getUint16(name.end), class: view.getUint16(name.end + 2) };
  const isTruncated = (flags & 0x0200) !== 0;
  const head = {
    id: view.getUint16(0),
    isResponse: (flags & 0x8000) !== 0,
    isTruncated,
    isAuthenticData: (flags & 0x0020) !== 0,
    question,
  };
  // RFC 2181 §9: what comes with TC is not used; it may end anywhere.
  if (isTruncated) {
    return { ...head, rcode: flags & 0x0f, answers: [], authorities: [], hasEdns: false, extendedErrors: [] };
  }
  const records: DnsRecord[][] = [[], [], []];
  let edns: Edns | undefined;
  let at = name.end + 4;
  for (const [section, list] of records.entries()) {
    for (let count = view.getUint16(6 + 2 * section); count > 0; count--) {
      const read = readRecord(bytes, view, at);
      if (read === undefined) return undefined;
      at = read.end;
      if (read.record !== undefined) list.push(read.record);
      if (read.edns === undefined) continue;
      // RFC 6891 §6.1.1: one OPT at most.
      if (edns !== undefined || section !== 2) return undefined;
      edns = read.edns;
    }
  }
  return {
    ...head,
    rcode: ((edns?.extendedRcode ?? 0) << 4) | (flags & 0x0f),
    answers: records[0] ?? [],
    authorities: records[1] ?? [],
    hasEdns: edns !== undefined,
    extendedErrors: edns?.extendedErrors ?? [],
  };
}

type Edns = { readonly extendedRcode: number; readonly extendedErrors: { code: number; text: string }[] };
type ReadRecord = { readonly end: number; readonly record?: DnsRecord; readonly edns?: Edns };

function readRecord(bytes: Uint8Array, view: DataView, start: number): ReadRecord | undefined {
  const owner = readDomainName(bytes, start);
  if (owner === undefined || owner.end + 10 > bytes.length) return undefined;
  const type = view.getUint16(owner.end);
  const from = owner.end + 10;
  const end = from + view.getUint16(owner.end + 8);
  if (end > bytes.length) return undefined;
  if (type === recordTypes.OPT) {
    const edns = readEdns(bytes.subarray(from, end), view.getUint8(owner.end + 4));
    return edns === undefined ? undefined : { end, edns };
  }
  if (view.getUint16(owner.end + 2) !== classIn) return { end };
  const data = readData(bytes, type, from, end);
  if (data === 'malformed') return undefined;
  // RFC 2181 §8: a TTL with the top bit set counts as zero.
  const ttl = view.getInt32(owner.end + 4);
  return data === undefined ? { end } : { end, record: { name: owner.name, ttl: Math.max(0, ttl), data } };
}

function readData(message: Uint8Array, type: number, from: number, end: number): RecordData | 'malformed' | undefined {
  const data = message.subarray(from, end);
  switch (type) {
    case recordTypes.A:
    case recordTypes.AAAA: {
      const address = data.length === (type === recordTypes.A ? 4 : 16) ? formatIpAddress(data) : undefined;
      return address === undefined ? 'malformed' : { type: type === recordTypes.A ? 'A' : 'AAAA', address };
    }
    case recordTypes.CNAME: {
      const target = readDomainName(message, from);
      return target?.end === end ? { type: 'CNAME', target: target.name } : 'malformed';
    }
    case recordTypes.TXT: {
      const text = readTxt(data);
      return text === undefined ? 'malformed' : { type: 'TXT', text };
    }
    case recordTypes.CAA: {
      const caa = readCaa(data);
      return caa === undefined ? 'malformed' : { type: 'CAA', caa };
    }
    case recordTypes.SOA: {
      const mname = readDomainName(message, from);
      const rname = mname === undefined ? undefined : readDomainName(message, mname.end);
      if (rname === undefined || rname.end + 20 !== end) return 'malformed';
      const minimum = new DataView(message.buffer, message.byteOffset + rname.end + 16, 4).getInt32(0);
      return { type: 'SOA', minimum: Math.max(0, minimum) };
    }
    default:
      return undefined;
  }
}

/** The strings of one record joined, RFC 8555 §8.4. */
function readTxt(data: Uint8Array): string | undefined {
  let text = '';
  let at = 0;
  while (at < data.length) {
    const next = at + 1 + (data[at] ?? 0);
    if (next > data.length) return undefined;
    text += latin1(data.subarray(at + 1, next));
    at = next;
  }
  return data.length === 0 ? undefined : text;
}

function readCaa(data: Uint8Array): CaaRecord | undefined {
  const [flags, length] = data;
  if (flags === undefined || length === undefined || length === 0 || 2 + length > data.length) return undefined;
  return { flags, tag: latin1(data.subarray(2, 2 + length)), value: latin1(data.subarray(2 + length)) };
}

function readEdns(options: Uint8Array, extendedRcode: number): Edns | undefined {
  const extendedErrors: { code: number; text: string }[] = [];
  const view = new DataView(options.buffer, options.byteOffset, options.length);
  for (let at = 0; at < options.length; ) {
    if (at + 4 > options.length) return undefined;
    const from = at + 4;
    const end = from + view.getUint16(at + 2);
    if (end > options.length) return undefined;
    if (view.getUint16(at) === extendedErrorOption && end >= from + 2) {
      extendedErrors.push({ code: view.getUint16(from), text: latin1(options.subarray(from + 2, end)) });
    }
    at = end;
  }
  return { extendedRcode, extendedErrors };
}

function latin1(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');
}
