// What an operator may ask of the running gate and tell it: which DTLS sessions are open, and to end one. They live in the
// memory of the gate alone. `main.ts` puts the routes on the local control socket 'coap'; `gatehouse coap session` calls them.

import { readCertificate } from '@gatehouse/pkix/certificate';
import { PkixError } from '@gatehouse/pkix/errors';
import { formatName } from '@gatehouse/pkix/names';
import { LocalControlError, type LocalControlRoute } from '@gatehouse/runtime/local-control';
import { formatAddress } from '@gatehouse/runtime/run-file';
import { z } from 'zod';
import type { DtlsSession, DtlsTransport } from './dtls/transport.ts';

/** Name of the gate's local control socket. */
export const controlName = 'coap';

/** One open session, as it is told. */
export const sessionViewSchema = z.object({
  id: z.string(),
  /** `address:port`. */
  peer: z.string(),
  establishedAt: z.iso.datetime(),
  /** When the last authentic record came. */
  lastHeardAt: z.iso.datetime(),
  /** IANA's name. */
  cipherSuite: z.string(),
  /** Of the client's certificate, RFC 4514; empty when it has none. */
  subject: z.string(),
  /** Application data. */
  octetsIn: z.number(),
  octetsOut: z.number(),
});

/** One open session. */
export type SessionView = z.output<typeof sessionViewSchema>;

/** What `GET /sessions` answers: all of them, the longest silent first. */
export const sessionListSchema = z.object({ sessions: z.array(sessionViewSchema) });

/** The routes: `GET /sessions`, `DELETE /sessions/:id`. */
export function sessionRoutes(transport: Pick<DtlsTransport, 'sessions' | 'find'>): readonly LocalControlRoute[] {
  return [
    { method: 'GET', path: '/sessions', handle: () => ({ sessions: Array.from(transport.sessions(), viewOf) }) },
    {
      method: 'DELETE',
      path: '/sessions/:id',
      handle: ({ parameters: { id = '' } }) => {
        const session = transport.find(id);
        if (session === undefined) throw new LocalControlError('not-found', `there is no open session '${id}'`);
        session.close('operator');
      },
    },
  ];
}

function viewOf(session: DtlsSession): SessionView {
  const { id, peer, establishedAt, lastHeardAt, cipherSuite, certificate, octetsIn, octetsOut } = session;
  return {
    id,
    peer: formatAddress({ host: peer.address, port: peer.port }),
    establishedAt: establishedAt.toISOString(),
    lastHeardAt: lastHeardAt.toISOString(),
    cipherSuite,
    subject: subjectOf(certificate),
    octetsIn,
    octetsOut,
  };
}

/** The subject of a certificate as it is told to people, RFC 4514; empty when it has none that can be read. */
export function subjectOf(certificate: Uint8Array): string {
  try {
    return formatName(readCertificate(certificate).subject);
  } catch (error) {
    if (!(error instanceof PkixError)) throw error;
    return '';
  }
}
