// One GET over a connection that stands, and no more than the first KiB of what comes back (RFC 8555 §8.3). The connection
// was opened to an address that was judged; this only speaks HTTP over it, once, and closes it.
import type { Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { Client } from 'undici';
import { describeError } from './connect.ts';

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
  const secured = url.protocol === 'https:' ? await secure(socket, url, signal) : { kind: 'ready' as const, socket };
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

type Secured =
  | { readonly kind: 'ready'; readonly socket: Socket }
  | { readonly kind: 'failed'; readonly type: 'tls'; readonly detail: string };

/** TLS without looking at the certificate: the proof is the body, and whoever redirects here answers for it. */
function secure(socket: Socket, url: URL, signal: AbortSignal): Promise<Secured> {
  return new Promise((resolve) => {
    const isName = /[a-z]/.test(url.hostname) && !url.hostname.startsWith('[');
    const tls = tlsConnect({
      socket,
      ...(isName ? { servername: url.hostname } : {}),
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: false,
      // Old keys and digests in that certificate are nobody's business here.
      ciphers: 'DEFAULT:@SECLEVEL=0',
    });
    const settle = (secured: Secured) => {
      signal.removeEventListener('abort', giveUp);
      tls.off('secureConnect', ready);
      tls.off('error', failed);
      tls.off('close', closed);
      tls.on('error', () => undefined);
      if (secured.kind === 'failed') {
        tls.destroy();
        socket.destroy();
      }
      resolve(secured);
    };
    const ready = () => settle({ kind: 'ready', socket: tls });
    const giveUp = () => settle({ kind: 'failed', type: 'tls', detail: 'time-out in the TLS handshake' });
    const failed = (error: Error) => settle({ kind: 'failed', type: 'tls', detail: describeError(error) });
    const closed = () => settle({ kind: 'failed', type: 'tls', detail: 'connection closed in the TLS handshake' });
    signal.addEventListener('abort', giveUp);
    tls.once('secureConnect', ready);
    tls.once('error', failed);
    tls.once('close', closed);
    if (signal.aborted) giveUp();
  });
}
