// What the DTLS session says about the client, as facts of the kind that all gates judge by. Nothing here is a judgement.

import { type ChannelBinding, exporterLabel, exporterLength, type PeerFacts } from '@gatehouse/gateway-kit/peer';
import type { DtlsSession } from './dtls/transport.ts';

/** The facts of a session. */
export function readSessionPeer(session: DtlsSession): PeerFacts {
  return {
    remoteAddress: session.peer.address,
    tlsVersion: 'DTLSv1.2',
    cipher: session.cipherSuite,
    certificate: session.certificate,
    chain: session.chain,
    channelBinding: readChannelBinding(session),
  };
}

// RFC 7627 §1: without the extended master secret two sessions can be made to share Finished and exported keys, so that
// they would bind nothing. Nothing is resumed, so that the first Finished is always the client's, RFC 5929 §3.1.
function readChannelBinding(session: DtlsSession): ChannelBinding {
  if (!session.hasExtendedMasterSecret) return { exporter: () => undefined };
  // Taken now: a request may still be judged when its session has closed, and tells nothing any more.
  const exported = Buffer.from(session.exportKeyingMaterial(exporterLabel, exporterLength));
  return { tlsUnique: Buffer.from(session.clientFinished), exporter: () => exported };
}
