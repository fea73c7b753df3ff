// What the layers above see of DTLS 1.2: sessions of peers that proved a certificate, datagrams in and out, and nothing
// of OpenSSL. Another implementation (node:dtls, once official builds carry it) takes its place behind these types. The
// certificate of a session was verified up to an anchor, its time was not: whoever uses it judges it again, always.
// `startDtls` in start-dtls.ts makes a transport.

import type { Rate } from '@gatehouse/gateway-kit/rate-limit';
import type { Clock } from '@gatehouse/runtime/clock';
import type { ListenAddress, ListenOptions } from '@gatehouse/runtime/listen';
import type { Logger } from '@gatehouse/runtime/log';
import type { Metrics } from '@gatehouse/runtime/metrics';

/** Where a session's datagrams come from and go to. */
export type DtlsPeer = {
  /** Normalised text; IPv4 is never written as IPv6. */
  readonly address: string;
  readonly port: number;
};

/**
 * Why a session ended: the peer said close_notify or a fatal alert · silence · room was needed · the same peer made a new
 * one (RFC 6347 §4.2.8) · an operator · the process stops · DTLS or a handler of its messages failed.
 */
export type CloseReason = 'peer' | 'idle' | 'evicted' | 'replaced' | 'operator' | 'shutdown' | 'failed';

/** A session whose handshake is complete. */
export type DtlsSession = {
  /** 16 random hexadecimal digits: for logs and the operator. */
  readonly id: string;
  readonly peer: DtlsPeer;
  readonly establishedAt: Date;
  /** When the last authentic record came. */
  readonly lastHeardAt: Date;
  /** IANA's name: `TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8`. */
  readonly cipherSuite: string;
  /** The peer's certificate, DER. */
  readonly certificate: Uint8Array;
  /** What the peer sent beside its certificate, DER, in its order. */
  readonly chain: readonly Uint8Array[];
  /** verify_data of the client's Finished, 12 octets: tls-unique of RFC 5929 §3, as nothing is resumed here. */
  readonly clientFinished: Uint8Array;
  /** RFC 7627: without it, `clientFinished` and exported keys bind nothing. */
  readonly hasExtendedMasterSecret: boolean;
  /** RFC 5705, without a context. Throws after the session has closed. */
  exportKeyingMaterial(label: string, length: number): Uint8Array;
  /** The longest message that fits into one datagram at the configured MTU, with the record overhead of the suite. */
  readonly maximumMessageOctets: number;
  /** Application data; what the records add is not counted. */
  readonly octetsIn: number;
  readonly octetsOut: number;
  /** Sends one record; does nothing when the session is closed. */
  send(message: Uint8Array): void;
  /** Sends close_notify; `closed` is called before this returns. Does nothing when the session is closed. */
  close(reason: CloseReason): void;
};

/** What the transport tells; called synchronously, never inside OpenSSL. A handler that throws ends its session ('failed'). */
export type DtlsEvents = {
  opened(session: DtlsSession): void;
  message(session: DtlsSession, data: Uint8Array): void;
  /** Once for each session that was opened. */
  closed(session: DtlsSession, reason: CloseReason): void;
};

/** What the server shows and signs with. */
export type DtlsCredentials = {
  /** DER: own certificate first, then its issuers, without the root. */
  readonly certificateChain: readonly Uint8Array[];
  /** PKCS#8, DER: EC on P-256 or P-384. */
  readonly privateKey: Uint8Array;
};

/** Up to what clients' certificates are verified in the handshake. */
export type DtlsTrust = {
  /** DER. One that is not self-signed is an anchor too; then all intermediates are. */
  readonly anchors: readonly Uint8Array[];
  /** DER: for clients that send their own certificate alone. */
  readonly intermediates: readonly Uint8Array[];
};

/** Limits; {@link defaultDtlsLimits} has what coaps.md §5 names. */
export type DtlsLimits = {
  /** Established ones; for one more the session that was silent longest goes. A handshake in progress costs no session its place. */
  readonly sessions: number;
  /** The same for one address (one /64 for IPv6), among its own; and for its handshakes in progress. */
  readonly sessionsPerAddress: number;
  /** Handshakes in progress, of peers that returned their cookie; for one more the oldest goes. */
  readonly halfOpen: number;
  readonly handshakeTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Handshakes of one address (one /64 for IPv6). */
  readonly handshakesPerAddress: Rate;
};

/** What {@link DtlsLimits} are unless told. */
export const defaultDtlsLimits: DtlsLimits = {
  sessions: 10_000,
  sessionsPerAddress: 200,
  halfOpen: 500,
  handshakeTimeoutMs: 60_000,
  idleTimeoutMs: 300_000,
  handshakesPerAddress: { perSecond: 50, burst: 200 },
};

/** The least MTU: in datagrams of fewer than 256 octets OpenSSL makes no handshake. With the headers of IPv6 and UDP. */
export const leastMtu = 256 + 48;

/** What `startDtls` takes. */
export type DtlsOptions = {
  /** Port 0 takes any free one; '::' serves IPv4 too. */
  readonly listen: ListenOptions;
  readonly credentials: DtlsCredentials;
  readonly trust: DtlsTrust;
  readonly limits: DtlsLimits;
  /** Octets of an IP packet, headers included, that reach every peer whole: 1280 where nothing better is known, {@link leastMtu} or more. */
  readonly mtu: number;
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly events: DtlsEvents;
};

/** A running DTLS server. */
export type DtlsTransport = {
  readonly address: ListenAddress;
  /** Those that are open, the longest silent first. */
  sessions(): Iterable<DtlsSession>;
  find(id: string): DtlsSession | undefined;
  readonly counts: { readonly established: number; readonly halfOpen: number };
  /** For new handshakes; sessions that stand keep what they have. @throws when OpenSSL refuses them: nothing changes then */
  replaceCredentials(credentials: DtlsCredentials, trust: DtlsTrust): void;
  /** Says close_notify to all and closes the socket. */
  close(): Promise<void>;
};
