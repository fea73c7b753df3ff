// Carries one query to one resolver: over UDP from a socket and port of its own, over TCP when the answer was truncated
// (RFC 7766 §5). Answers to other questions are passed over until the time is up (RFC 5452 §9.1), so that who guesses
// must guess id, port and question at once.
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { isIPv6, connect as tcpConnect } from 'node:net';
import { type DnsMessage, type DnsQuery, isAnswerTo, readMessage, writeQuery } from './message.ts';
import type { Upstream } from './upstream.ts';

/** An answer, or why there is none. */
export type Exchanged =
  | { readonly kind: 'answered'; readonly message: DnsMessage }
  | { readonly kind: 'failed'; readonly code: 'TIMEOUT' | 'MALFORMED' | 'UNREACHABLE'; readonly detail: string };

/** Asks over UDP, and over TCP when the answer was cut. Never rejects. */
export async function exchange(
  upstream: Upstream,
  query: DnsQuery,
  ms: number,
  signal: AbortSignal,
): Promise<Exchanged> {
  const first = await withinTime(ms, signal, (settle) => askUdp(upstream, query, settle));
  if (first.kind === 'failed' || !first.message.isTruncated) return first;
  return withinTime(ms, signal, (settle) => askTcp(upstream, query, settle));
}

type Settle = (exchanged: Exchanged) => void;
/** A question under way: how to end it, and what to add to a time-out. */
type Asking = { close(): void; note(): string };

function withinTime(ms: number, signal: AbortSignal, ask: (settle: Settle) => Asking): Promise<Exchanged> {
  return new Promise((resolve) => {
    let asking: Asking | undefined;
    let isSettled = false;
    const settle: Settle = (exchanged) => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      asking?.close();
      resolve(exchanged);
    };
    const giveUp = () => {
      settle({ kind: 'failed', code: 'TIMEOUT', detail: `no answer in time${asking?.note() ?? ''}` });
    };
    const timer = setTimeout(giveUp, ms);
    signal.addEventListener('abort', giveUp);
    if (signal.aborted) return giveUp();
    asking = ask(settle);
    if (isSettled) asking.close();
  });
}

function askUdp(upstream: Upstream, query: DnsQuery, settle: Settle): Asking {
  const socket: UdpSocket = createSocket(isIPv6(upstream.host) ? 'udp6' : 'udp4');
  let strangers = 0;
  socket.on('error', (error) => settle(unreachable(error)));
  socket.on('message', (bytes) => {
    const read = readAnswer(query, bytes);
    if (read === 'another') strangers++;
    else settle(read);
  });
  // A connected socket takes nothing from anybody else, and hears when the port is closed.
  socket.connect(upstream.port, upstream.host, () => {
    socket.send(writeQuery(query), (error) => {
      if (error !== null) settle(unreachable(error));
    });
  });
  return {
    close: () => {
      socket.removeAllListeners('message');
      socket.close();
    },
    note: () => (strangers === 0 ? '' : ` (${strangers} answers to another question were passed over)`),
  };
}

function askTcp(upstream: Upstream, query: DnsQuery, settle: Settle): Asking {
  const socket = tcpConnect({ host: upstream.host, port: upstream.port });
  const parts: Buffer[] = [];
  let octets = 0;
  socket.on('error', (error) => settle(unreachable(error)));
  socket.on('end', () => settle(malformed('the connection ended within the answer')));
  socket.on('data', (part: Buffer) => {
    parts.push(part);
    octets += part.length;
    if (octets < 2) return;
    const all = parts.length === 1 ? part : Buffer.concat(parts);
    parts.splice(0, parts.length, all);
    const length = all.readUInt16BE(0);
    if (octets < 2 + length) return;
    const read = readAnswer(query, all.subarray(2, 2 + length));
    settle(read === 'another' ? malformed('the answer over TCP is to another question') : read);
  });
  socket.on('connect', () => {
    const message = writeQuery(query);
    // RFC 7766 §8: length and message in one segment.
    const framed = Buffer.alloc(2 + message.length);
    framed.writeUInt16BE(message.length, 0);
    framed.set(message, 2);
    socket.write(framed);
  });
  return { close: () => socket.destroy(), note: () => ' over TCP' };
}

function readAnswer(query: DnsQuery, bytes: Buffer): Exchanged | 'another' {
  if (bytes.length < 2 || bytes.readUInt16BE(0) !== query.id) return 'another';
  const message = readMessage(bytes);
  if (message === undefined) return malformed('the answer is malformed');
  return isAnswerTo(query, message) ? { kind: 'answered', message } : 'another';
}

function malformed(detail: string): Exchanged {
  return { kind: 'failed', code: 'MALFORMED', detail };
}

function unreachable(error: Error): Exchanged {
  return { kind: 'failed', code: 'UNREACHABLE', detail: `the resolver cannot be reached: ${error.message}` };
}
