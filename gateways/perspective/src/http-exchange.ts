// One GET over a connection that stands, and no more than the first KiB of what comes back (RFC 8555 §8.3). The connection
// was opened to an address that was judged; this only speaks HTTP over it, once, and closes it.
import { isIP, type Socket } from 'node:net';
import { Client } from 'undici';
import { describeError } from './connect.ts';
import { secure } from './secure.ts';

/** Octets of a body that are read. */
export const maximumBodyOctets = 1024;

/** What came back. */
export type HttpAnswer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** Of a redirect. */
      readonly location: string | undefined;
      /** Undefined when it is larger than {@link maximumBodyOctets}. */
      readonly body: Buffer | undefined;
    }
  | { readonly kind: 'failed'; readonly type: 'connection' | 'tls'; readonly detail: string };

/** Gets `url` over `socket`. Never rejects; the socket is destroyed. */
export async function getOver(socket: Socket, url: URL, signal: AbortSignal): Promise<HttpAnswer> {
  const secured =
    url.protocol === 'https:' ? await secure(socket, tlsOptions(url), signal) : { kind: 'ready' as const, socket };
  if (secured.kind === 'failed') return secured;
  const client = new Client(url.origin, {
    // Not within the call: the client does not look again before it is done with it.
    connect: (_options, callback) => queueMicrotask(() => callback(null, secured.socket)),
    allowH2: false,
    pipelining: 0,
    maxHeaderSize: 16_384,
  });
  // Whatever the client is waiting for: at the deadline it ends.
  const giveUp = () => {
    client.destroy(new Error('time-out')).catch(() => undefined);
  };
  signal.addEventListener('abort', giveUp);
  try {
    const { statusCode, headers, body } = await client.request({
      method: 'GET',
      path: `${url.pathname}${url.search}`,
      headers: { 'user-agent': 'gatehouse-perspective', accept: '*/*', 'accept-encoding': 'identity' },
      signal,
    });
    // Not reading it to its end is an error of the stream, and nobody else listens.
    body.on('error', () => undefined);
    const location = headers.location;
    // The body of a redirect proves nothing.
    const isRead = statusCode < 300 || statusCode > 399;
    const read = isRead ? await readBody(body) : Buffer.alloc(0);
    if (!isRead) body.destroy();
    return {
      kind: 'answered',
      status: statusCode,
      location: Array.isArray(location) ? location[0] : location,
      body: read,
    };
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    return { kind: 'failed', type: 'connection', detail: signal.aborted ? 'time-out' : describeError(error) };
  } finally {
    signal.removeEventListener('abort', giveUp);
    socket.destroy();
    secured.socket.destroy();
    client.destroy().catch(() => undefined);
  }
}

async function readBody(body: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let octets = 0;
  for await (const part of body) {
    octets += part.length;
    if (octets > maximumBodyOctets) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

// RFC 6066 §3: no server name for an address.
function tlsOptions({ hostname }: URL): { servername: string | undefined; protocol: string } {
  const isName = isIP(hostname) === 0 && !hostname.startsWith('[');
  return { servername: isName ? hostname : undefined, protocol: 'http/1.1' };
}
