// What perspectives look at in tests: a name server that knows what it was told, and a web server with key authorizations.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A name server on loopback: every name has the address 127.0.0.1 unless told, and no other records. */
export type NameServer = {
  /** `host:port`. */
  readonly address: string;
  /** TXT records by name; an empty list takes them away. */
  setText(name: string, texts: readonly string[]): void;
  /** CAA records by name: flags, tag and value. */
  setCaa(name: string, records: readonly (readonly [flags: number, tag: string, value: string])[]): void;
  /** Answers SERVFAIL for a name. */
  break(name: string): void;
  close(): void;
};

const types = { a: 1, txt: 16, caa: 257 } as const;

/** Starts it. */
export async function startNameServer(): Promise<NameServer> {
  const texts = new Map<string, readonly string[]>();
  const permissions = new Map<string, readonly (readonly [number, string, string])[]>();
  const broken = new Set<string>();
  const recordsOf = (name: string, type: number): readonly Buffer[] => {
    if (type === types.a) return [Buffer.from([127, 0, 0, 1])];
    if (type === types.txt) return (texts.get(name) ?? []).map((text) => characterString(text));
    if (type !== types.caa) return [];
    return (permissions.get(name) ?? []).map(([flags, tag, value]) =>
      Buffer.concat([Buffer.from([flags]), characterString(tag), Buffer.from(value)]),
    );
  };
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const { name, type, end } = readQuestion(query);
    const records = broken.has(name) ? [] : recordsOf(name, type);
    const header = Buffer.from(query.subarray(0, 12));
    // QR, RD, RA; RCODE 2 is SERVFAIL. No additional records are repeated.
    header.writeUInt16BE(0x8180 | (broken.has(name) ? 2 : 0), 2);
    header.writeUInt16BE(records.length, 6);
    header.writeUInt32BE(0, 8);
    const answers = records.map((data) => {
      const fixed = Buffer.alloc(12);
      fixed.writeUInt16BE(0xc00c, 0);
      fixed.writeUInt16BE(type, 2);
      fixed.writeUInt16BE(1, 4);
      fixed.writeUInt32BE(1, 6);
      fixed.writeUInt16BE(data.length, 10);
      return Buffer.concat([fixed, data]);
    });
    socket.send(Buffer.concat([header, query.subarray(12, end), ...answers]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    setText: (name, values) => void texts.set(name, values),
    setCaa: (name, records) => void permissions.set(name, records),
    break: (name) => void broken.add(name),
    close: () => socket.close(),
  };
}

/** A web server on loopback with key authorizations (RFC 8555 §8.3). */
export type WebServer = {
  readonly port: number;
  set(token: string, keyAuthorization: string): void;
  /** Answers the next requests for a token only when `until` resolves. @returns when the first of them has come */
  hold(token: string, until: Promise<void>): Promise<void>;
  close(): Promise<void>;
};

/** Starts it. */
export async function startWebServer(): Promise<WebServer> {
  const contents = new Map<string, string>();
  const held = new Map<string, { readonly until: Promise<void>; readonly seen: () => void }>();
  const server = createServer(async (request, response) => {
    const token = request.url?.replace('/.well-known/acme-challenge/', '') ?? '';
    const found = contents.get(token);
    held.get(token)?.seen();
    await held.get(token)?.until;
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'text/plain' });
    response.end(found ?? 'nothing');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    set: (token, keyAuthorization) => void contents.set(token, keyAuthorization),
    hold: (token, until) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      held.set(token, { until, seen: resolve });
      return promise;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function readQuestion(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function characterString(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')]);
}
