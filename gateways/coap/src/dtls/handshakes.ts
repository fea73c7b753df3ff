// Handshakes in progress, RFC 6347 §4.2: who may begin one and who has to go for it, when the last flight is sent again, and
// what becomes of each. All of them are of peers that returned their cookie; none costs a session its place.

import type { RemoteInfo } from 'node:dgram';
import { addressKey } from '@gatehouse/gateway-kit/connection-limits';
import { normalizeAddress } from '@gatehouse/gateway-kit/peer';
import type { SparingLog } from '@gatehouse/gateway-kit/sparing-log';
import type { Clock } from '@gatehouse/runtime/clock';
import { RateLimiter } from '@gatehouse/runtime/rate-limit';
import type { DtlsMetrics, HandshakeOutcome } from './metrics.ts';
import type { Observation } from './observation.ts';
import type { Connection, HandshakeFacts, Outcome } from './openssl.ts';
import { peerFacts } from './peer-facts.ts';
import type { Session } from './session.ts';
import type { Member, SessionTable } from './session-table.ts';
import type { DtlsLimits } from './transport.ts';

/** What a peer that returned its cookie begins with. */
export type BegunHandshake = {
  readonly connection: Connection;
  readonly observation: Observation;
  readonly from: RemoteInfo;
  readonly peerKey: string;
  /** Of its ClientHello. */
  readonly random: string;
};

/** A handshake in progress. */
export type Handshake = Member &
  BegunHandshake & {
    /** By the clock. */
    readonly begunAtMs: number;
    /** By the processor's, as OpenSSL's own timer. */
    readonly begunAt: number;
    retransmitAt: number;
  };

/** What {@link Handshakes} stand on. */
export type HandshakesOptions = {
  readonly table: SessionTable<Session, Handshake>;
  readonly limits: DtlsLimits;
  readonly clock: Clock;
  readonly metrics: DtlsMetrics;
  readonly log: SparingLog;
  readonly transmit: (datagrams: readonly Buffer[], to: RemoteInfo) => void;
  /** Takes over the connection of one that is complete. */
  readonly established: (handshake: Handshake, facts: HandshakeFacts) => void;
};

/** All handshakes of a server. */
export class Handshakes {
  readonly #options: HandshakesOptions;
  readonly #rate: RateLimiter;

  constructor(options: HandshakesOptions) {
    const { perSecond, burst } = options.limits.handshakesPerAddress;
    this.#options = options;
    this.#rate = new RateLimiter({ ratePerSecond: perSecond, burst, clock: options.clock });
  }

  /** Goes on behind the cookie, unless the peer's address has had too many; the connection is ours from here on. */
  begin({ connection, observation, from, peerKey, random }: BegunHandshake): void {
    const { table, clock, metrics, log } = this.#options;
    const network = addressKey(normalizeAddress(from.address));
    if (!this.#rate.take(network).ok) {
      connection.free();
      metrics.handshakes.inc({ outcome: 'limited' });
      log.warn(peerFacts(from), 'an address begins DTLS handshakes faster than it may');
      return;
    }
    const before = table.handshakeOf(peerKey);
    if (before !== undefined) this.#drop(before, 'replaced');
    const inTheWay = table.handshakeInTheWay(network);
    if (inTheWay !== undefined) {
      metrics.evictions.inc({ kind: 'half-open' });
      log.warn(peerFacts(inTheWay.from), 'a DTLS handshake made room for another');
      this.#drop(inTheWay, 'evicted');
    }
    const handshake: Handshake = {
      peerKey,
      network,
      connection,
      observation,
      from,
      random,
      begunAtMs: clock.now().getTime(),
      begunAt: performance.now(),
      retransmitAt: Number.POSITIVE_INFINITY,
    };
    table.addHandshake(handshake);
    this.#continue(handshake, connection.handshake(undefined, observation));
  }

  /** Takes a datagram of the peer, or of somebody who says so. */
  receive(handshake: Handshake, datagram: Uint8Array): void {
    this.#continue(handshake, handshake.connection.handshake(datagram, handshake.observation));
  }

  /** Ends those that take too long, and sends flights again whose time has come. @param nowMs by the clock */
  tick(nowMs: number): void {
    const { table, limits, metrics } = this.#options;
    for (const handshake of table.handshakes()) {
      if (nowMs - handshake.begunAtMs >= limits.handshakeTimeoutMs) {
        this.#fail(handshake, 'timeout', 'it took too long');
      } else if (handshake.retransmitAt <= performance.now()) {
        const outcome = handshake.connection.retransmit(handshake.observation);
        if (outcome.datagrams.length > 0) metrics.retransmissions.inc();
        this.#continue(handshake, outcome);
      }
    }
  }

  /** Gives up all of them. */
  close(): void {
    for (const handshake of this.#options.table.handshakes()) this.#drop(handshake, 'shutdown');
  }

  #continue(handshake: Handshake, { step, datagrams }: Outcome): void {
    const { from, connection } = handshake;
    this.#options.transmit(datagrams, from);
    switch (step.kind) {
      case 'waiting':
        handshake.retransmitAt = performance.now() + (connection.timeoutMs() ?? Number.POSITIVE_INFINITY);
        return;
      case 'complete':
        this.#complete(handshake);
        return;
      case 'closed':
        this.#fail(handshake, 'failed', 'the peer ended it');
        return;
      case 'failed':
        this.#fail(handshake, 'failed', step.reason);
    }
  }

  #complete(handshake: Handshake): void {
    const { table, metrics, established } = this.#options;
    let facts: HandshakeFacts;
    try {
      facts = handshake.connection.facts();
    } catch (error) {
      this.#fail(handshake, 'failed', error instanceof Error ? error.message : String(error));
      return;
    }
    table.removeHandshake(handshake);
    metrics.handshakes.inc({ outcome: 'complete' });
    metrics.handshakeSeconds.observe((performance.now() - handshake.begunAt) / 1000);
    handshake.observation.established();
    established(handshake, facts);
  }

  #fail(handshake: Handshake, outcome: 'failed' | 'timeout', reason: string): void {
    const { connection, observation, from } = handshake;
    const facts = observation.describe(reason, connection.certificate());
    this.#drop(handshake, outcome);
    this.#options.log.warn({ ...peerFacts(from), ...facts }, 'a DTLS handshake failed');
  }

  #drop(handshake: Handshake, outcome: HandshakeOutcome): void {
    this.#options.table.removeHandshake(handshake);
    handshake.connection.free();
    this.#options.metrics.handshakes.inc({ outcome });
  }
}
