// The DTLS server on a UDP socket: whose turn each datagram is, and which session has to go for another. Until a peer returns
// its cookie there is nothing of it here: no entry, no timer, no log line. Everything is synchronous; one timer serves all
// handshakes and sessions.

import type { RemoteInfo } from 'node:dgram';
import { normalizeAddress } from '@gatehouse/gateway-kit/peer';
import { SparingLog } from '@gatehouse/gateway-kit/sparing-log';
import type { ListenAddress } from '@gatehouse/runtime/listen';
import { Cookies } from './cookie.ts';
import { type Handshake, Handshakes } from './handshakes.ts';
import { createDtlsMetrics, type DropCause, type DtlsMetrics } from './metrics.ts';
import { Observation } from './observation.ts';
import { type HandshakeFacts, longestDatagram, OpenSslServer } from './openssl.ts';
import { peerFacts } from './peer-facts.ts';
import { contentType, hasShortRecord, leastRecordOctets, readClientHello, readFirstRecord } from './records.ts';
import { Session, type SessionHost } from './session.ts';
import { SessionTable } from './session-table.ts';
import type { CloseReason, DtlsCredentials, DtlsOptions, DtlsSession, DtlsTransport, DtlsTrust } from './transport.ts';
import { openUdpSocket, type UdpSocket } from './udp-socket.ts';

// IPv6 and UDP, RFC 8200 §3, RFC 768: of an IP packet they leave the rest.
const headerOctets = 40 + 8;
const tickMs = 200;

/** See {@link DtlsTransport}. */
export class DtlsServer implements DtlsTransport {
  readonly #options: DtlsOptions;
  readonly #openSsl: OpenSslServer;
  readonly #metrics: DtlsMetrics;
  readonly #log: SparingLog;
  readonly #cookies: Cookies;
  readonly #table: SessionTable<Session, Handshake>;
  readonly #handshakes: Handshakes;
  readonly #host: SessionHost;
  #socket: UdpSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosing = false;

  /**
   * Starts a server.
   *
   * @throws {FatalError} when this Node.js cannot do DTLS, or the address cannot be bound
   * @throws {OpenSslError} when OpenSSL refuses the credentials or the trust anchors
   */
  static async start(options: DtlsOptions): Promise<DtlsServer> {
    const server = new DtlsServer(options);
    try {
      server.#socket = await openUdpSocket(options.listen, {
        datagram: (datagram, from) => server.#heard(datagram, from),
        error: (error) => server.#socketFailed(error),
      });
    } catch (error) {
      server.#openSsl.close();
      throw error;
    }
    return server;
  }

  private constructor(options: DtlsOptions) {
    const { clock, limits } = options;
    this.#options = options;
    this.#openSsl = new OpenSslServer(options.credentials, options.trust, options.mtu - headerOctets);
    this.#table = new SessionTable(limits);
    this.#metrics = createDtlsMetrics(options.metrics, () => this.#table.counts);
    this.#log = new SparingLog(options.log, clock);
    this.#cookies = new Cookies(clock);
    this.#host = {
      now: () => clock.now().getTime(),
      transmit: (session, datagrams) => this.#transmit(datagrams, session.peer.port, session.systemAddress),
      message: (session, data) => options.events.message(session, data),
      heard: (session) => this.#table.heardFrom(session),
      ended: (session, reason, cause) => this.#ended(session, reason, cause),
    };
    this.#handshakes = new Handshakes({
      table: this.#table,
      limits,
      clock,
      metrics: this.#metrics,
      log: this.#log,
      transmit: (datagrams, { port, address }) => this.#transmit(datagrams, port, address),
      established: (handshake, facts) => this.#established(handshake, facts),
    });
  }

  get address(): ListenAddress {
    return this.#socket?.address ?? this.#options.listen;
  }

  get counts(): { readonly established: number; readonly halfOpen: number } {
    return this.#table.counts;
  }

  sessions(): Iterable<DtlsSession> {
    return this.#table.sessions();
  }

  find(id: string): DtlsSession | undefined {
    return this.#table.find(id);
  }

  replaceCredentials(credentials: DtlsCredentials, trust: DtlsTrust): void {
    // A renewal may come in the last moment; what it would make nobody would free.
    if (this.#isClosing) return;
    this.#openSsl.replaceCredentials(credentials, trust);
  }

  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    clearInterval(this.#timer);
    this.#handshakes.close();
    for (const session of this.#table.sessions()) session.close('shutdown');
    await this.#socket?.close();
    this.#openSsl.close();
  }

  /** Anybody can send a datagram: whatever goes wrong with one, the others are served. */
  #heard(datagram: Buffer, from: RemoteInfo): void {
    try {
      this.#received(datagram, from);
    } catch (error) {
      this.#dropped('failed');
      this.#log.warn({ ...peerFacts(from), err: error }, 'a datagram could not be handled');
    }
  }

  #received(datagram: Buffer, from: RemoteInfo): void {
    this.#metrics.datagrams.inc({ direction: 'in' });
    this.#metrics.octets.inc({ direction: 'in' }, datagram.length);
    if (this.#isClosing) {
      this.#dropped('closing');
      return;
    }
    // RFC 768: a source port of 0 is none, and nothing can be answered there.
    if (from.port === 0) {
      this.#dropped('no-port');
      return;
    }
    if (datagram.length > longestDatagram) {
      this.#dropped('too-long');
      return;
    }
    const record = readFirstRecord(datagram);
    if (record === undefined) {
      this.#dropped('not-dtls');
      return;
    }
    const peerKey = `${from.address} ${from.port}`;
    if (record.isClientHello) {
      this.#hello(datagram, from, peerKey);
      return;
    }
    const handshake = this.#table.handshakeOf(peerKey);
    const session = this.#table.sessionOf(peerKey);
    if (handshake === undefined && session === undefined) {
      this.#dropped('no-session');
      return;
    }
    // A peer that makes a new session may still have records of the old one on their way: both are asked, as records that
    // are not theirs are nothing to them. RFC 6347 §4.1.2.7.
    if (handshake !== undefined && !hasShortRecord(datagram, leastRecordOctets())) {
      this.#handshakes.receive(handshake, datagram);
    }
    if (session === undefined || (handshake !== undefined && record.epoch === 0)) return;
    const isAuthentic = session.receive(datagram);
    if (!isAuthentic && handshake === undefined && record.contentType === contentType.applicationData) {
      this.#dropped('unreadable');
    }
  }

  /** RFC 6347 §4.2.8: a peer with a session may make a new one; the old one stands until the new one does. */
  #hello(datagram: Buffer, from: RemoteInfo, peerKey: string): void {
    const hello = readClientHello(datagram);
    if (hello === undefined) {
      this.#dropped('malformed-hello');
      return;
    }
    const known = this.#table.handshakeOf(peerKey)?.random === hello.random;
    // One that the network brought twice, or late: the flight it began is sent again by its own timer.
    if (known || this.#table.sessionOf(peerKey)?.random === hello.random) {
      this.#dropped('repeated-hello');
      return;
    }
    const observation = new Observation(this.#metrics, this.#cookies, peerKey, hello);
    const outcome = this.#openSsl.hello(datagram, observation);
    if (outcome.kind === 'refused') {
      this.#dropped('malformed-hello');
      return;
    }
    if (outcome.kind === 'begun') {
      this.#watch();
      this.#handshakes.begin({ connection: outcome.connection, observation, from, peerKey, random: hello.random });
      return;
    }
    if (outcome.datagrams.length > 0) this.#metrics.helloVerifyRequests.inc();
    this.#transmit(outcome.datagrams, from.port, from.address);
  }

  #established({ connection, observation, from, peerKey, network, random }: Handshake, facts: HandshakeFacts): void {
    this.#table.sessionOf(peerKey)?.close('replaced');
    const inTheWay = this.#table.sessionInTheWay(network);
    if (inTheWay !== undefined) {
      this.#metrics.evictions.inc({ kind: 'session' });
      inTheWay.close('evicted');
    }
    const session = new Session({
      host: this.#host,
      connection,
      observation,
      facts,
      peer: { address: normalizeAddress(from.address), port: from.port },
      systemAddress: from.address,
      peerKey,
      network,
      random,
    });
    this.#table.addSession(session);
    try {
      this.#options.events.opened(session);
    } catch (error) {
      this.#options.log.error({ err: error, session: session.id }, 'a new DTLS session could not be served');
      session.close('failed');
    }
    // The client's first message may have come in the datagram of its Finished, or before it.
    session.receive(undefined);
  }

  #ended(session: Session, reason: CloseReason, cause: unknown): void {
    this.#table.removeSession(session);
    if (cause !== undefined) {
      const facts = { ...peerFacts(session.peer), session: session.id };
      if (cause instanceof Error)
        this.#options.log.error({ ...facts, err: cause }, 'a message of a DTLS session failed');
      else this.#log.warn({ ...facts, reason: cause }, 'a DTLS session broke');
    }
    try {
      this.#options.events.closed(session, reason);
    } catch (error) {
      this.#options.log.error({ err: error, session: session.id }, 'the end of a DTLS session could not be told');
    }
  }

  /** One timer for all, as long as there is anybody. */
  #watch(): void {
    this.#timer ??= setInterval(() => this.#tick(), tickMs).unref();
  }

  #tick(): void {
    const { limits } = this.#options;
    const now = this.#host.now();
    this.#handshakes.tick(now);
    for (const session of this.#table.sessions()) {
      if (now - session.lastHeardAtMs < limits.idleTimeoutMs) break;
      session.close('idle');
    }
    const { established, halfOpen } = this.#table.counts;
    if (established > 0 || halfOpen > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #transmit(datagrams: readonly Buffer[], port: number, address: string): void {
    for (const datagram of datagrams) {
      this.#metrics.datagrams.inc({ direction: 'out' });
      this.#metrics.octets.inc({ direction: 'out' }, datagram.length);
      this.#socket?.send(datagram, port, address);
    }
  }

  #dropped(cause: DropCause): void {
    this.#metrics.dropped.inc({ cause });
  }

  /** ICMP errors, a full queue: UDP loses datagrams, and peers send theirs again. */
  #socketFailed(error: Error): void {
    this.#metrics.socketErrors.inc();
    this.#log.warn({ reason: error.message }, 'a UDP datagram could not be sent or received');
  }
}
