// A world in which every name is validated: a DNS server that sends all names to this machine, and a web server that
// answers every http-01 challenge. For tests that are about something else than validation.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';

/** The world. */
export type World = {
  /** `127.0.0.1:port` of the DNS server. */
  readonly resolver: string;
  readonly httpPort: number;
  close(): Promise<void>;
};

/** RFC 1035 §3.2.2. */
const typeA = 1;

/** Starts it. @param thumbprintOf of the account that orders a name (RFC 8555 §8.1) */
export async function startWorld(thumbprintOf: (name: string) => string): Promise<World> {
  const dns = createSocket('udp4');
  dns.on('message', (query, { port, address }) => dns.send(answerTo(query), port, address));
  dns.bind(0, '127.0.0.1');
  const http = createServer((request, response) => {
    const token = request.url?.split('/').at(-1) ?? '';
    const name = request.headers.host?.split(':', 1)[0] ?? '';
    response.setHeader('content-type', 'application/octet-stream');
    response.end(`${token}.${thumbprintOf(name)}`);
  }).listen(0, '127.0.0.1');
  await Promise.all([once(dns, 'listening'), once(http, 'listening')]);
  const address = http.address();
  return {
    resolver: `127.0.0.1:${dns.address().port}`,
    httpPort: typeof address === 'object' && address !== null ? address.port : 0,
    close: async () => {
      const ends = [once(dns, 'close'), once(http, 'close')];
      dns.close();
      http.close();
      http.closeAllConnections();
      await Promise.all(ends);
    },
  };
}

/** RFC 1035 §4: the question again; the address of this machine for A, and no record of any other type. */
function answerTo(query: Buffer): Buffer {
  let end = 12;
  while ((query[end] ?? 0) !== 0) end += 1 + (query[end] ?? 0);
  const question = query.subarray(12, end + 5);
  const hasAddress = query.readUInt16BE(end + 1) === typeA;
  // QR, RD and RA; one question.
  const header = Buffer.from([0, 0, 0x81, 0x80, 0, 1, 0, hasAddress ? 1 : 0, 0, 0, 0, 0]);
  query.copy(header, 0, 0, 2);
  // The name of the question, A, IN, a minute, four octets.
  const record = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
  return Buffer.concat([header, question, ...(hasAddress ? [record] : [])]);
}
