// A session whose handshake is complete: records to messages and back, until either side ends it. It frees what OpenSSL
// keeps for it exactly once, whoever ends it and from wherever, a handler of its own messages included.

import { randomBytes } from 'node:crypto';
import type { Observation } from './observation.ts';
import type { Connection, HandshakeFacts } from './openssl.ts';
import { hasShortRecord, leastRecordOctets } from './records.ts';
import type { Member } from './session-table.ts';
import type { CloseReason, DtlsPeer, DtlsSession } from './transport.ts';

/** What a session needs of the server that holds it. */
export type SessionHost = {
  now(): number;
  /** Sends to the peer of the session. */
  transmit(session: Session, datagrams: readonly Buffer[]): void;
  /** Hands a message on. @throws what the handler throws */
  message(session: Session, data: Buffer): void;
  heard(session: Session): void;
  /** @param cause of 'failed' */
  ended(session: Session, reason: CloseReason, cause: unknown): void;
};

/** What a session begins with. */
export type SessionOptions = Member & {
  readonly host: SessionHost;
  readonly connection: Connection;
  readonly observation: Observation;
  readonly facts: HandshakeFacts;
  readonly peer: DtlsPeer;
  /** Where the system says it is: with zone, IPv4 as IPv6 on a socket of both. */
  readonly systemAddress: string;
  /** Of its ClientHello. */
  readonly random: string;
};

const idOctets = 8;

/** An established session. */
export class Session implements DtlsSession {
  readonly id = randomBytes(idOctets).toString('hex');
  readonly peer: DtlsPeer;
  readonly peerKey: string;
  readonly network: string;
  readonly systemAddress: string;
  readonly random: string;
  readonly cipherSuite: string;
  readonly certificate: Uint8Array;
  readonly chain: readonly Uint8Array[];
  readonly clientFinished: Uint8Array;
  readonly hasExtendedMasterSecret: boolean;
  readonly maximumMessageOctets: number;
  readonly #host: SessionHost;
  readonly #connection: Connection;
  readonly #observation: Observation;
  readonly #establishedAtMs: number;
  #lastHeardAtMs: number;
  #octetsIn = 0;
  #octetsOut = 0;
  #isOpen = true;

  constructor(options: SessionOptions) {
    const { facts } = options;
    this.peer = options.peer;
    this.peerKey = options.peerKey;
    this.network = options.network;
    this.systemAddress = options.systemAddress;
    this.random = options.random;
    this.cipherSuite = facts.cipherSuite;
    this.certificate = facts.certificate;
    this.chain = facts.chain;
    this.clientFinished = facts.clientFinished;
    this.hasExtendedMasterSecret = facts.hasExtendedMasterSecret;
    this.maximumMessageOctets = facts.maximumMessageOctets;
    this.#host = options.host;
    this.#connection = options.connection;
    this.#observation = options.observation;
    this.#establishedAtMs = options.host.now();
    this.#lastHeardAtMs = this.#establishedAtMs;
  }

  get establishedAt(): Date {
    return new Date(this.#establishedAtMs);
  }

  get lastHeardAt(): Date {
    return new Date(this.#lastHeardAtMs);
  }

  get lastHeardAtMs(): number {
    return this.#lastHeardAtMs;
  }

  get octetsIn(): number {
    return this.#octetsIn;
  }

  get octetsOut(): number {
    return this.#octetsOut;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  exportKeyingMaterial(label: string, length: number): Uint8Array {
    return this.#connection.exportKeyingMaterial(label, length);
  }

  send(message: Uint8Array): void {
    // A record without content is not a message.
    if (!this.#isOpen || message.length === 0) return;
    const { step, datagrams } = this.#connection.send(message, this.#observation);
    this.#host.transmit(this, datagrams);
    if (step.kind === 'failed') this.#end('failed', step.reason, false);
    else this.#octetsOut += message.length;
  }

  close(reason: CloseReason): void {
    // RFC 6347 §4.2.8: the peer has forgotten the keys of a session that it replaced.
    this.#end(reason, undefined, reason !== 'replaced');
  }

  /**
   * Takes a datagram of the peer, or of somebody who says so.
   *
   * @param datagram undefined for what came together with the end of the handshake
   * @returns whether anything in it was authentic application data, or the end
   */
  receive(datagram: Uint8Array | undefined): boolean {
    if (!this.#isOpen) return false;
    if (datagram !== undefined && hasShortRecord(datagram, leastRecordOctets(this.cipherSuite))) return false;
    const { messages, step, datagrams } = this.#connection.receive(datagram, this.#observation);
    this.#host.transmit(this, datagrams);
    if (messages.length > 0) {
      this.#lastHeardAtMs = this.#host.now();
      this.#host.heard(this);
    }
    for (const message of messages) {
      if (!this.#isOpen) return true;
      this.#octetsIn += message.length;
      try {
        this.#host.message(this, message);
      } catch (error) {
        this.#end('failed', error, true);
      }
    }
    // RFC 5246 §7.2.1: close_notify is answered with one's own; behind a fatal alert nothing more is sent.
    if (step.kind === 'closed') this.#end('peer', undefined, true);
    if (step.kind !== 'failed') return messages.length > 0 || step.kind === 'closed';
    this.#end(this.#observation.fatalAlertIn === undefined ? 'failed' : 'peer', step.reason, false);
    return true;
  }

  #end(reason: CloseReason, cause: unknown, saysGoodbye: boolean): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (saysGoodbye) this.#host.transmit(this, this.#connection.shutDown(this.#observation));
    this.#connection.free();
    this.#host.ended(this, reason, cause);
  }
}
