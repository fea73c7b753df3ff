// What the transport says about the other end of a connection: address, TLS version, certificates as they were sent, and the values a request can be bound to.
// Nothing here is a judgement: a certificate that is listed here has proved possession of its key and nothing else.

import type { TLSSocket } from 'node:tls';
import { DerCursor, readBigInteger } from '@gatehouse/pkix/der/reader';

/** Values that bind a request to the TLS connection it came over. */
export type ChannelBinding = {
  /** RFC 5929 §3: the client's Finished message; only TLS 1.2 and DTLS 1.2 have it. */
  readonly tlsUnique?: Buffer | undefined;
  /** RFC 9266: 32 octets; undefined on a TLS 1.2 connection without extended master secret (RFC 9266 §4.2), where it would bind nothing. */
  exporter(): Buffer | undefined;
};

/** The other end of a connection. */
export type PeerFacts = {
  /** Text form; IPv4 addresses never in their IPv6-mapped form. */
  readonly remoteAddress: string;
  readonly tlsVersion: 'TLSv1.2' | 'TLSv1.3' | 'DTLSv1.2';
  /** IANA name. */
  readonly cipher: string;
  /** DER of the client's certificate, when it sent one. */
  readonly certificate?: Uint8Array | undefined;
  /** DER of the further certificates it sent, in order, when they join up. */
  readonly chain: readonly Uint8Array[];
  readonly channelBinding: ChannelBinding;
  /** Set when the facts about the client came through a proxy; its connection ends there, so nothing can be bound to it. */
  readonly proxyAddress?: string | undefined;
};

/** Label of tls-exporter, RFC 9266 §2. */
export const exporterLabel = 'EXPORTER-Channel-Binding';

/** Octets of tls-exporter, RFC 9266 §2. */
export const exporterLength = 32;

const longestChain = 8;

const known = new WeakMap<TLSSocket, PeerFacts>();

/** The facts of a connection, gathered at its first request: a connection that has ended tells nothing any more. */
export function readPeer(socket: TLSSocket): PeerFacts {
  let facts = known.get(socket);
  if (facts === undefined) {
    facts = gather(socket);
    known.set(socket, facts);
  }
  return facts;
}

/** Text form of an address in which an IPv4 client looks the same on a dual-stack listener. */
export function normalizeAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function gather(socket: TLSSocket): PeerFacts {
  const tlsVersion = socket.getProtocol() === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2';
  const [certificate, ...chain] = readCertificates(socket);
  return {
    remoteAddress: normalizeAddress(socket.remoteAddress),
    tlsVersion,
    // A connection that broke in this very moment has no cipher any more.
    cipher: socket.getCipher()?.standardName ?? '',
    certificate,
    chain,
    channelBinding: createChannelBinding(socket, tlsVersion),
  };
}

function readCertificates(socket: TLSSocket): readonly Uint8Array[] {
  const certificates: Uint8Array[] = [];
  for (let next = socket.getPeerX509Certificate(); next !== undefined; next = next.issuerCertificate) {
    certificates.push(next.raw);
    if (certificates.length > longestChain) break;
  }
  return certificates;
}

function createChannelBinding(socket: TLSSocket, tlsVersion: PeerFacts['tlsVersion']): ChannelBinding {
  return {
    // The server never resumes a session, so that the first Finished is always the client's, RFC 5929 §3.1.
    tlsUnique: tlsVersion === 'TLSv1.2' ? (socket.getPeerFinished() ?? undefined) : undefined,
    exporter: () =>
      !socket.destroyed && (tlsVersion === 'TLSv1.3' || hasExtendedMasterSecret(socket.getSession()))
        ? socket.exportKeyingMaterial(exporterLength, exporterLabel, Buffer.alloc(0))
        : undefined,
  };
}

/** Whether a TLS 1.2 session was made with RFC 7627. OpenSSL tells it only inside its own encoding of the session: flags [13] INTEGER, bit 0. */
function hasExtendedMasterSecret(session: Buffer | undefined): boolean {
  if (session === undefined) return false;
  const fields = new DerCursor(session).enter(0x30);
  while (!fields.isAtEnd) {
    const field = fields.read();
    if (field.tag === 0xad) return (readBigInteger(new DerCursor(field.contents).read(0x02)) & 1n) === 1n;
  }
  return false;
}
