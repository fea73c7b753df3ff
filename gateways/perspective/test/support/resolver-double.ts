// A recursive resolver for tests, over UDP on loopback: answers what the test says, with AD where it says so.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import dnsPacket, { type Answer, type Packet } from 'dns-packet';

/** What the resolver says to one question; undefined: nothing at all. */
export type Said =
  | {
      readonly rcode?: number | undefined;
      readonly isAuthenticated?: boolean | undefined;
      readonly answers?: Answer[] | undefined;
    }
  | undefined;

/** A running resolver. */
export type ResolverDouble = {
  /** `host:port`. */
  readonly address: string;
  /** Questions so far, as `TXT name`. */
  readonly asked: readonly string[];
  close(): void;
};

/** Starts one. @param say by type and name: `TXT _acme-challenge.example.com` */
export async function startResolverDouble(say: (question: string) => Said): Promise<ResolverDouble> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (message, { address, port }) => {
    const query = dnsPacket.decode(message);
    const [question] = query.questions ?? [];
    if (question === undefined) return;
    const text = `${question.type} ${question.name}`;
    asked.push(text);
    const said = say(text);
    if (said === undefined) return;
    const flags =
      dnsPacket.RECURSION_DESIRED |
      dnsPacket.RECURSION_AVAILABLE |
      (said.isAuthenticated === true ? dnsPacket.AUTHENTIC_DATA : 0) |
      (said.rcode ?? 0);
    const response: Packet = {
      type: 'response',
      id: query.id ?? 0,
      flags,
      questions: [question],
      answers: said.answers ?? [],
    };
    socket.send(dnsPacket.encode(response), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { address: `127.0.0.1:${socket.address().port}`, asked, close: () => socket.close() };
}

/** A TXT record. */
export function txt(name: string, data: string): Answer {
  return { type: 'TXT', name, ttl: 5, data };
}
