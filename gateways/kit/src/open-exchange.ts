// A request from its first line to the last octet of its answer: carries the id, counts the time, writes the one log line, and ends the connection where the rest of a body is not wanted.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { newRequestId } from '@gatehouse/runtime/identifiers';
import type { Logger } from '@gatehouse/runtime/log';
import { type BodyError, readBody } from './body.ts';
import type { Exchange } from './exchange.ts';
import { lingerBeforeClose } from './linger.ts';
import { type PeerFacts, readPeer } from './peer.ts';
import type { OpenRequest } from './refusal.ts';
import { logRequest } from './request-log.ts';
import type { RequestMetrics } from './request-metrics.ts';

/** What an {@link OpenExchange} is made of. */
export type OpenExchangeOptions = {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly socket: TLSSocket;
  readonly log: Logger;
  readonly metrics: RequestMetrics | undefined;
  /** The address has too many connections: answer so and close. */
  readonly isRefused: boolean;
};

/** The server's side of an exchange. */
export class OpenExchange implements Exchange, OpenRequest {
  readonly requestId = newRequestId();
  readonly isRefused: boolean;
  readonly peer: PeerFacts;
  readonly socket: TLSSocket;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #bodyFailure = Promise.withResolvers<never>();
  readonly #startedAt = performance.now();
  readonly #octetsBefore: number;
  #facts: Record<string, unknown> | undefined;
  #undelivered: (() => void)[] | undefined;

  constructor({ incoming, outgoing, socket, log, metrics, isRefused }: OpenExchangeOptions) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.socket = socket;
    this.peer = readPeer(socket);
    this.#octetsBefore = socket.bytesWritten;
    this.isRefused = isRefused;
    // Most bodies do not fail; one that does may have no reader.
    this.#bodyFailure.promise.catch(() => {});
    // Before node's own listener, which ends a connection that is not kept alive.
    outgoing.prependOnceListener('finish', () => {
      if (!incoming.complete) lingerBeforeClose(socket);
    });
    outgoing.once('close', () => {
      const wasDelivered = outgoing.writableFinished;
      if (!wasDelivered) for (const listener of this.#undelivered ?? []) listener();
      const durationMs = performance.now() - this.#startedAt;
      metrics?.answered(outgoing.statusCode, durationMs / 1000, wasDelivered);
      logRequest(log, {
        requestId: this.requestId,
        method: incoming.method ?? '',
        target: incoming.url ?? '',
        status: outgoing.statusCode,
        wasDelivered,
        octets: socket.bytesWritten - this.#octetsBefore,
        durationMs,
        peer: this.peer,
        facts: this.#facts,
      });
    });
  }

  get target(): string {
    return this.#incoming.url ?? '';
  }

  get isComplete(): boolean {
    return this.#incoming.complete;
  }

  failBody(error: BodyError): void {
    this.closeConnection();
    this.#bodyFailure.reject(error);
  }

  async readBody(limit: number): Promise<Uint8Array> {
    try {
      return await readBody(this.#incoming, this.#outgoing, limit, this.#bodyFailure.promise);
    } catch (error) {
      this.closeConnection();
      throw error;
    }
  }

  note(facts: Readonly<Record<string, unknown>>): void {
    this.#facts = { ...this.#facts, ...facts };
  }

  closeConnection(): void {
    if (!this.#outgoing.headersSent) this.#outgoing.shouldKeepAlive = false;
  }

  onUndelivered(listener: () => void): void {
    this.#undelivered ??= [];
    this.#undelivered.push(listener);
  }
}
