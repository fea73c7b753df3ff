// A request from its first line to the last octet of its answer: carries the id, counts the time, writes the one log line, and ends the connection where the rest of a body is not wanted.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { newRequestId } from '@gatehouse/runtime/identifiers';
import type { Logger } from '@gatehouse/runtime/log';
import type { BodyError } from './body.ts';
import type { Exchange } from './exchange.ts';
import { type PeerFacts, readPeer } from './peer.ts';
import type { OpenRequest } from './refusal.ts';
import { RequestBody } from './request-body.ts';
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
  readonly #body: RequestBody;
  readonly #startedAt = performance.now();
  readonly #octetsBefore: number;
  #facts: Record<string, unknown> | undefined;
  #undelivered: (() => void)[] | undefined;

  constructor({ incoming, outgoing, socket, log, metrics, isRefused }: OpenExchangeOptions) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#body = new RequestBody(incoming, outgoing, socket);
    this.socket = socket;
    this.peer = readPeer(socket);
    this.#octetsBefore = socket.bytesWritten;
    this.isRefused = isRefused;
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

  get method(): string {
    return this.#incoming.method ?? '';
  }

  header(name: string): string | undefined {
    const value = this.#incoming.headers[name];
    return typeof value === 'object' ? value.join(', ') : value;
  }

  sendLines(name: string, values: readonly string[]): void {
    if (!this.#outgoing.headersSent) this.#outgoing.setHeader(name, values);
  }

  get isComplete(): boolean {
    return this.#body.isComplete;
  }

  failBody(error: BodyError): void {
    this.#body.failBody(error);
  }

  readBody(limit: number): Promise<Uint8Array> {
    return this.#body.read(limit);
  }

  note(facts: Readonly<Record<string, unknown>>): void {
    this.#facts = { ...this.#facts, ...facts };
  }

  closeConnection(): void {
    this.#body.closeConnection();
  }

  onUndelivered(listener: () => void): void {
    this.#undelivered ??= [];
    this.#undelivered.push(listener);
  }
}
