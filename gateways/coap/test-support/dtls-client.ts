// A DTLS 1.2 client for tests, drills and benchmarks: one UDP socket, one session, flights sent again by a timer. What it
// sends may be lost, altered, doubled or put in another order on its way, and bytes of the test's own may be sent beside.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { ClientContext, type ClientContextOptions, type ClientSession, OpensslError } from './openssl-client.ts';

export { OpensslError } from './openssl-client.ts';

/** The suite of RFC 9148 §3, and those that clients offer beside it, in OpenSSL's names. */
export const offeredCiphers =
  'ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-CCM:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384';

/** What becomes of a datagram of the client: those that are sent in its place, now. */
export type Transform = (datagram: Buffer) => readonly Uint8Array[];

/** Who a client is and whom it believes. */
export type DtlsIdentity = {
  /** DER; without it the client has no certificate to show. */
  readonly certificate?: Uint8Array | undefined;
  /** Sent behind the certificate, DER. */
  readonly chain?: readonly Uint8Array[] | undefined;
  /** PKCS#8 DER. */
  readonly privateKey?: Uint8Array | undefined;
  /** DER; without it any server is believed. */
  readonly trustAnchor?: Uint8Array | undefined;
};

/** What a client offers. */
export type DtlsOffer = {
  /** In OpenSSL's names; `offeredCiphers` unless told. */
  readonly ciphers?: string | undefined;
  readonly groups?: string | undefined;
  readonly signatureAlgorithms?: string | undefined;
  /** RFC 7627; true unless told. */
  readonly hasExtendedMasterSecret?: boolean | undefined;
  /** The longest plaintext of a record that it takes, RFC 6066 §4; 16,384 unless told. */
  readonly longestFragment?: 512 | 1024 | 2048 | 4096 | undefined;
  /** First retransmission; a second unless told (RFC 6347 §4.2.4.1). */
  readonly retransmitMs?: number | undefined;
};

/** Where a client connects to, and how its datagrams travel. */
export type DtlsPath = {
  readonly address: string;
  readonly port: number;
  /** One of one's own, bound; closed by the caller. */
  readonly socket?: Socket | undefined;
  /** Where the client's own socket is bound: another address of the loopback is another peer. */
  readonly localAddress?: string | undefined;
  readonly transformOutgoing?: Transform | undefined;
  /** The same for what the server sends. */
  readonly transformIncoming?: Transform | undefined;
  /** Largest datagram of the handshake; 1280 unless told. */
  readonly mtu?: number | undefined;
  /** 30 seconds unless told. */
  readonly handshakeTimeoutMs?: number | undefined;
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
};

/** All of it. */
export type DtlsClientOptions = DtlsPath & DtlsIdentity & DtlsOffer;

/** A session; events go to the functions that the test sets. */
export type DtlsClient = {
  readonly localPort: number;
  readonly cipherSuite: string;
  readonly hasExtendedMasterSecret: boolean;
  /** The server's, DER. */
  readonly peerCertificate: Uint8Array;
  /** The client's own Finished, 12 octets: tls-unique (RFC 5929 §3). */
  readonly ownFinished: Uint8Array;
  readonly isClosed: boolean;
  /** Datagrams and octets of UDP payload each way, the handshake included. */
  readonly traffic: Traffic;
  onMessage: (message: Buffer) => void;
  /** The server's close_notify, or an error. */
  onClosed: (error?: Error) => void;
  /** RFC 5705. */
  exporter(label: string, length: number): Uint8Array;
  /** One message in one record. */
  send(message: Uint8Array): void;
  /** A datagram as it is, past DTLS and past the transformation. */
  sendRaw(datagram: Uint8Array): void;
  /** Asks the server for another handshake on the same session. */
  renegotiate(): void;
  /** close_notify, then nothing more. */
  close(): void;
  /** Gone without a word. */
  destroy(): void;
};

/** What went over the wire. */
export type Traffic = { datagramsOut: number; octetsOut: number; datagramsIn: number; octetsIn: number };

/** A context that many connections share; `free` it behind the last of them. */
export type DtlsClientContext = { connect(path: DtlsPath): Promise<DtlsClient>; free(): void };

/** Makes a context, for many connections of one device. */
export function createDtlsClientContext(options: DtlsIdentity & DtlsOffer): DtlsClientContext {
  const context = new ClientContext(contextOptions(options));
  return { connect: (path) => Connection.open(context, path, () => undefined), free: () => context.free() };
}

/**
 * Connects and does the handshake.
 *
 * @throws OpensslError when the server ended it with an alert (`alert`), or its certificate was not believed
 * @throws Error when it took longer than it may
 */
export async function connectDtls(options: DtlsClientOptions): Promise<DtlsClient> {
  const context = new ClientContext(contextOptions(options));
  return Connection.open(context, options, () => context.free());
}

function contextOptions(options: DtlsIdentity & DtlsOffer): ClientContextOptions {
  const { certificate, chain = [], privateKey, trustAnchor, ciphers = offeredCiphers } = options;
  return {
    certificates: certificate === undefined ? [] : [certificate, ...chain],
    privateKey,
    trustAnchors: trustAnchor === undefined ? [] : [trustAnchor],
    ciphers,
    groups: options.groups,
    signatureAlgorithms: options.signatureAlgorithms,
    hasExtendedMasterSecret: options.hasExtendedMasterSecret ?? true,
    longestFragment: options.longestFragment,
    retransmitMs: options.retransmitMs ?? 1000,
  };
}

const asItIs: Transform = (datagram) => [datagram];

class Connection implements DtlsClient {
  readonly traffic: Traffic = { datagramsOut: 0, octetsOut: 0, datagramsIn: 0, octetsIn: 0 };
  onMessage: (message: Buffer) => void = () => undefined;
  onClosed: (error?: Error) => void = () => undefined;
  cipherSuite = '';
  hasExtendedMasterSecret = false;
  peerCertificate: Uint8Array = new Uint8Array();
  ownFinished: Uint8Array = new Uint8Array();
  isClosed = false;

  readonly #session: ClientSession;
  readonly #socket: Socket;
  readonly #path: DtlsPath;
  readonly #release: () => void;
  readonly #handshake = Promise.withResolvers<void>();
  readonly #receive = (datagram: Buffer): void => this.#received(datagram);
  #isEstablished = false;
  #timer: NodeJS.Timeout | undefined;

  static async open(context: ClientContext, path: DtlsPath, release: () => void): Promise<Connection> {
    const session = context.createSession(path.mtu ?? 1280);
    const socket = path.socket ?? createSocket({ type: path.address.includes(':') ? 'udp6' : 'udp4' });
    if (path.socket === undefined) {
      socket.bind(0, path.localAddress);
      await once(socket, 'listening');
    }
    const connection = new Connection(session, socket, path, release);
    await connection.#establish();
    return connection;
  }

  private constructor(session: ClientSession, socket: Socket, path: DtlsPath, release: () => void) {
    this.#session = session;
    this.#socket = socket;
    this.#path = path;
    this.#release = release;
    socket.on('message', this.#receive);
  }

  get localPort(): number {
    const { port }: AddressInfo = this.#socket.address();
    return port;
  }

  async #establish(): Promise<void> {
    const limitMs = this.#path.handshakeTimeoutMs ?? 30_000;
    const limit = setTimeout(
      () => this.#handshake.reject(new Error(`no handshake within ${limitMs} milliseconds`)),
      limitMs,
    );
    const abort = (): void => this.#handshake.reject(new Error('the handshake was given up'));
    this.#path.signal?.addEventListener('abort', abort);
    try {
      this.#step();
      await this.#handshake.promise;
    } catch (error) {
      this.destroy();
      throw error;
    } finally {
      clearTimeout(limit);
      this.#path.signal?.removeEventListener('abort', abort);
    }
  }

  exporter(label: string, length: number): Uint8Array {
    return this.#session.exportKeyingMaterial(label, length);
  }

  send(message: Uint8Array): void {
    if (this.isClosed) return;
    this.#session.write(message);
    this.#flush();
  }

  sendRaw(datagram: Uint8Array): void {
    if (this.isClosed) return;
    this.traffic.datagramsOut++;
    this.traffic.octetsOut += datagram.length;
    this.#socket.send(datagram, this.#path.port, this.#path.address);
  }

  renegotiate(): void {
    if (this.isClosed) return;
    this.#session.renegotiate();
    this.#step();
  }

  close(): void {
    if (this.isClosed) return;
    this.#session.shutDown();
    this.#flush();
    this.destroy();
  }

  destroy(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    clearTimeout(this.#timer);
    this.#socket.off('message', this.#receive);
    // A socket that is closed at once would take back what it has not sent yet.
    if (this.#path.socket === undefined) setImmediate(() => this.#socket.close());
    this.#session.free();
    this.#release();
  }

  #received(datagram: Buffer): void {
    if (this.isClosed) return;
    this.traffic.datagramsIn++;
    this.traffic.octetsIn += datagram.length;
    for (const each of (this.#path.transformIncoming ?? asItIs)(datagram)) {
      this.#session.feed(each);
      this.#step();
      if (this.isClosed) return;
    }
  }

  /** Lets OpenSSL go on as far as it can, sends what it wrote, arms the timer anew, and hands out what came. */
  #step(): void {
    for (const message of this.#advance()) if (!this.isClosed) this.onMessage(message);
  }

  #advance(): Buffer[] {
    try {
      const messages = this.#isEstablished ? this.#read() : this.#shakeHands();
      this.#flush();
      this.#arm();
      return messages;
    } catch (error) {
      // The alert that OpenSSL wrote.
      this.#flush();
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      return [];
    }
  }

  #shakeHands(): Buffer[] {
    if (this.#session.handshake() !== 'done') return [];
    this.#isEstablished = true;
    this.cipherSuite = this.#session.cipherSuite();
    this.hasExtendedMasterSecret = this.#session.hasExtendedMasterSecret();
    this.peerCertificate = this.#session.peerCertificate();
    this.ownFinished = this.#session.ownFinished();
    this.#handshake.resolve();
    return [];
  }

  #read(): Buffer[] {
    const messages: Buffer[] = [];
    for (;;) {
      const message = this.#session.read();
      if (message === 'closed') {
        this.destroy();
        this.onClosed();
        return messages;
      }
      if (typeof message === 'string') return messages;
      messages.push(message);
    }
  }

  #flush(): void {
    if (this.isClosed) return;
    const transform = this.#path.transformOutgoing ?? asItIs;
    for (const datagram of this.#session.takeDatagrams()) {
      for (const each of transform(datagram)) this.sendRaw(each);
    }
  }

  #arm(): void {
    if (this.isClosed) return;
    clearTimeout(this.#timer);
    const timeoutMs = this.#session.timeoutMs();
    if (timeoutMs === undefined) return;
    this.#timer = setTimeout(() => {
      try {
        this.#session.handleTimeout();
      } catch (error) {
        if (error instanceof OpensslError) this.#fail(error);
        return;
      }
      this.#step();
    }, timeoutMs);
  }

  #fail(error: Error): void {
    this.#handshake.reject(error);
    const wasEstablished = this.#isEstablished && !this.isClosed;
    this.destroy();
    if (wasEstablished) this.onClosed(error);
  }
}
