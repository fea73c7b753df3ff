// A DTLS 1.2 server on the OpenSSL inside of Node.js, without sockets and without clocks: datagrams in, datagrams and
// sessions out. Whoever uses it sees no pointer. What has to be freed is freed by `close` of the server and `free` of each
// session; credentials can be replaced while sessions stand.

import { freeContext, makeContext, type Observer, observed } from './openssl-context.ts';
import { freePeerAddress, type HandshakeFacts, makePeerAddress, OpenSslSession, type Step } from './openssl-session.ts';
import { longestDatagram, Wire } from './openssl-wire.ts';
import type { DtlsCredentials, DtlsTrust } from './transport.ts';

export type { Observer, VerificationFailure } from './openssl-context.ts';
export { OpenSslError } from './openssl-library.ts';
export type { HandshakeFacts, Step } from './openssl-session.ts';
export { longestDatagram };

/** What came of a step, with the datagrams that the peer is to get. */
export type Outcome = { readonly step: Step; readonly datagrams: readonly Buffer[] };

/** What came of a ClientHello. */
export type HelloOutcome =
  | { readonly kind: 'answered'; readonly datagrams: readonly Buffer[] }
  | { readonly kind: 'refused'; readonly reason: string }
  /** The peer returned its cookie. What has been kept for it is this connection, which the caller frees. */
  | { readonly kind: 'begun'; readonly connection: Connection };

/** The server: contexts, the one listener, the wire. */
export class OpenSslServer {
  readonly #wire: Wire;
  readonly #mtu: number;
  readonly #peerAddress: bigint;
  #context: bigint;
  #listener: OpenSslSession;

  /**
   * @param mtu octets of UDP payload
   * @throws {FatalError} when this Node.js cannot do it
   * @throws {OpenSslError} when OpenSSL refuses the credentials or the trust anchors
   */
  constructor(credentials: DtlsCredentials, trust: DtlsTrust, mtu: number) {
    this.#mtu = mtu;
    this.#context = makeContext(credentials, trust);
    this.#wire = new Wire();
    this.#peerAddress = makePeerAddress();
    this.#listener = this.#listen();
  }

  /** For handshakes that begin from now on. @throws {OpenSslError} when OpenSSL refuses them: nothing changes then */
  replaceCredentials(credentials: DtlsCredentials, trust: DtlsTrust): void {
    const context = makeContext(credentials, trust);
    freeContext(this.#context);
    this.#context = context;
    this.#renewListener();
  }

  /** Takes a ClientHello. Nothing is kept of one whose cookie is missing or wrong. */
  hello(datagram: Uint8Array, observer: Observer): HelloOutcome {
    return observed(observer, () => {
      this.#wire.put(datagram);
      const heard = this.#listener.listen(this.#peerAddress);
      if (heard.kind === 'answered') return { kind: 'answered', datagrams: this.#wire.take() };
      if (heard.kind === 'failed') {
        this.#wire.take();
        this.#renewListener();
        return { kind: 'refused', reason: heard.reason };
      }
      const session = this.#listener;
      this.#listener = this.#listen();
      this.#wire.take();
      return { kind: 'begun', connection: new Connection(session, this.#wire) };
    });
  }

  /** Sessions have to be freed before. */
  close(): void {
    this.#listener.free();
    this.#wire.free();
    freePeerAddress(this.#peerAddress);
    freeContext(this.#context);
  }

  #listen(): OpenSslSession {
    return OpenSslSession.create(this.#context, this.#wire, this.#mtu);
  }

  #renewListener(): void {
    const listener = this.#listen();
    this.#listener.free();
    this.#listener = listener;
  }
}

/** One peer's handshake and session. */
export class Connection {
  readonly #session: OpenSslSession;
  readonly #wire: Wire;

  constructor(session: OpenSslSession, wire: Wire) {
    this.#session = session;
    this.#wire = wire;
  }

  /** @param datagram undefined to go on with what OpenSSL has already */
  handshake(datagram: Uint8Array | undefined, observer: Observer): Outcome {
    return this.#work(observer, datagram, () => this.#session.handshake());
  }

  /** @param datagram undefined for what OpenSSL has already: application data that came right behind the handshake */
  receive(datagram: Uint8Array | undefined, observer: Observer): Outcome & { readonly messages: readonly Buffer[] } {
    let messages: readonly Buffer[] = [];
    const outcome = this.#work(observer, datagram, () => {
      const read = this.#session.read();
      messages = read.messages;
      return read.step;
    });
    return { ...outcome, messages };
  }

  send(message: Uint8Array, observer: Observer): Outcome {
    return this.#work(observer, undefined, () => this.#session.write(message));
  }

  retransmit(observer: Observer): Outcome {
    return this.#work(observer, undefined, () => this.#session.retransmit());
  }

  /** close_notify. Not behind a step that failed. */
  shutDown(observer: Observer): readonly Buffer[] {
    return this.#work(observer, undefined, () => {
      this.#session.shutDown();
      return { kind: 'closed' };
    }).datagrams;
  }

  timeoutMs(): number | undefined {
    return this.#session.timeoutMs();
  }

  /** @throws {OpenSslError} when OpenSSL does not tell */
  facts(): HandshakeFacts {
    return this.#session.facts();
  }

  certificate(): Uint8Array | undefined {
    return this.#session.certificate();
  }

  exportKeyingMaterial(label: string, length: number): Uint8Array {
    return this.#session.exportKeyingMaterial(label, length);
  }

  free(): void {
    this.#session.free();
  }

  #work(observer: Observer, datagram: Uint8Array | undefined, work: () => Step): Outcome {
    return observed(observer, () => {
      try {
        if (datagram !== undefined) this.#wire.put(datagram);
        return { step: work(), datagrams: this.#wire.take() };
      } catch (error) {
        // Nothing of this peer may be there when it is the next one's turn.
        this.#wire.take();
        throw error;
      }
    });
  }
}
