// TLS over a connection that stands, without looking at the chain: who proves control by TLS has a certificate that nobody
// issued (RFC 8737 §3), and who redirects to https answers for it (BR 3.2.2.4.19). Nothing secret is ever sent over it.
import type { Socket } from 'node:net';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { describeError } from './connect.ts';

/** A session, or why there is none. */
export type Secured =
  | { readonly kind: 'ready'; readonly socket: TLSSocket }
  | { readonly kind: 'failed'; readonly type: 'tls'; readonly detail: string };

/** Shakes hands as a client of TLS 1.2 or later. Never rejects; when it fails the socket is destroyed. */
export function secure(
  socket: Socket,
  options: { readonly servername: string | undefined; readonly protocol: string },
  signal: AbortSignal,
): Promise<Secured> {
  return new Promise((resolve) => {
    const tls = tlsConnect({
      socket,
      ...(options.servername === undefined ? {} : { servername: options.servername }),
      ALPNProtocols: [options.protocol],
      minVersion: 'TLSv1.2',
      rejectUnauthorized: false,
      // How strong that certificate is protects nobody here.
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
    const failure = (detail: string) => settle({ kind: 'failed', type: 'tls', detail });
    const ready = () => settle({ kind: 'ready', socket: tls });
    const giveUp = () => failure('time-out in the TLS handshake');
    const failed = (error: Error) => failure(`${describeError(error)} in the TLS handshake`);
    const closed = () => failure('connection closed in the TLS handshake');
    signal.addEventListener('abort', giveUp);
    tls.once('secureConnect', ready);
    tls.once('error', failed);
    tls.once('close', closed);
    if (signal.aborted) giveUp();
  });
}
