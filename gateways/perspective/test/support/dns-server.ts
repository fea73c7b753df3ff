// A DNS server of a test, on UDP and TCP of one port of loopback. It answers what it is told to: records of a zone, a
// message that the test wrote, raw octets, or nothing.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { decode } from 'dns-packet';
import {
  addressRecord,
  aliasRecord,
  caaRecord,
  flags,
  soaRecord,
  txtRecord,
  typeNumbers,
  uint16,
  type WireMessage,
  type WireRecord,
  wireMessage,
} from './dns-wire.ts';

/** What was asked. */
export type Asked = {
  readonly name: string;
  readonly type: string;
  readonly id: number;
  readonly transport: 'udp' | 'tcp';
  readonly isRecursionDesired: boolean;
  readonly isAuthenticDataWanted: boolean;
  readonly isCheckingDisabled: boolean;
  readonly hasEdns: boolean;
  readonly isDnssecOk: boolean;
  /** Of the client. */
  readonly port: number;
};

/** Parts of an answer; id and question are those of the query unless others are given. */
export type Reply = Partial<WireMessage>;

/** Says what is answered: parts of a message, raw octets, several of either, or nothing. */
export type Responder = (asked: Asked) => Reply | Buffer | readonly (Reply | Buffer)[];

/** A running server. */
export type DnsServer = {
  readonly port: number;
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** Queries so far. */
  readonly asked: readonly Asked[];
};

/** Starts a server that ends with the test. */
export async function startDnsServer(t: TestContext, respond: Responder, host = '127.0.0.1'): Promise<DnsServer> {
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  const answer = (bytes: Buffer, transport: Asked['transport'], port: number): readonly Buffer[] => {
    const query = readQuery(bytes, transport, port);
    asked.push(query);
    return [respond(query)].flat().map((reply) => (Buffer.isBuffer(reply) ? reply : writeReply(query, reply)));
  };
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      const replies = answer(bytes.subarray(2), 'tcp', socket.remotePort ?? 0);
      socket.write(Buffer.concat(replies.flatMap((reply) => [uint16(reply.length), reply])));
    });
  });
  tcp.listen(0, host);
  await once(tcp, 'listening');
  const address = tcp.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const udp = createSocket('udp4');
  udp.on('message', (bytes, remote) => {
    for (const reply of answer(bytes, 'udp', remote.port)) udp.send(reply, remote.port, remote.address);
  });
  udp.bind(port, host);
  await once(udp, 'listening');
  t.after(() => {
    udp.close();
    tcp.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port, address: `${host}:${port}`, asked };
}

function readQuery(bytes: Buffer, transport: Asked['transport'], port: number): Asked {
  const packet = decode(bytes);
  const [question] = packet.questions ?? [];
  const opt = packet.additionals?.find((record) => record.type === 'OPT');
  return {
    name: question?.name ?? '',
    type: question?.type ?? '',
    id: packet.id ?? 0,
    transport,
    isRecursionDesired: packet.flag_rd,
    isAuthenticDataWanted: packet.flag_ad,
    isCheckingDisabled: packet.flag_cd,
    hasEdns: opt !== undefined,
    isDnssecOk: opt?.type === 'OPT' && opt.flag_do,
    port,
  };
}

/** Octets of an answer. */
export function writeReply({ id, name, type }: Pick<Asked, 'id' | 'name' | 'type'>, reply: Reply): Buffer {
  return wireMessage({ id, questions: [{ name, type: typeNumber(type) }], ...reply });
}

/** Number of a type by its name. */
export function typeNumber(type: string): number {
  return Object.entries(typeNumbers).find(([name]) => name === type)?.[1] ?? 0;
}

/** Records of one name, in the form of a zone file. */
export type ZoneEntry = {
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  /** Strings of one record in a list of their own. */
  readonly TXT?: readonly (string | readonly string[])[];
  readonly CAA?: readonly (readonly [flags: number, tag: string, value: string])[];
  readonly CNAME?: string;
  /** Answered instead of records. */
  readonly rcode?: number;
};

/** Answers out of a zone; what is not in it is NXDOMAIN. */
export function zone(entries: Readonly<Record<string, ZoneEntry>>): Responder {
  const soa = soaRecord('test', 60, 30);
  return ({ name, type }) => {
    const answers: WireRecord[] = [];
    let at = name.toLowerCase();
    for (let hops = 0; hops < 20; hops++) {
      const target = entries[at]?.CNAME;
      if (target === undefined) break;
      answers.push(aliasRecord(at, target));
      at = target;
    }
    const entry = entries[at];
    if (entry === undefined) return { rcode: 3, answers, authorities: [soa] };
    if (entry.rcode !== undefined) return { rcode: entry.rcode };
    const records = recordsOf(at, type, entry);
    return { answers: [...answers, ...records], authorities: records.length === 0 ? [soa] : [] };
  };
}

function recordsOf(name: string, type: string, entry: ZoneEntry): readonly WireRecord[] {
  switch (type) {
    case 'A':
    case 'AAAA':
      return (entry[type] ?? []).map((address) => addressRecord(name, address));
    case 'TXT':
      return (entry.TXT ?? []).map((text) => txtRecord(name, typeof text === 'string' ? [text] : text));
    case 'CAA':
      return (entry.CAA ?? []).map((caa) => caaRecord(name, ...caa));
    default:
      return [];
  }
}

/** As a resolver says that it checked signatures. */
export const authenticated = flags.response | flags.authenticData;
