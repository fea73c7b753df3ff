// The body of a request that is being answered: read once up to a limit, or not at all, in which case the connection ends
// after the answer, since what is left of a body must not be taken for the next request.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type BodyError, readBody } from './body.ts';
import { lingerBeforeClose } from './linger.ts';
import type { OpenRequest } from './refusal.ts';

/** A body that has not been read yet. Make it before anything is answered. */
export class RequestBody implements OpenRequest {
  readonly socket: Socket;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #failure = Promise.withResolvers<never>();

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, socket: Socket = incoming.socket) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.socket = socket;
    // Most bodies do not fail; one that does may have no reader.
    this.#failure.promise.catch(() => {});
    // Before node's own listener, which ends a connection that is not kept alive.
    outgoing.prependOnceListener('finish', () => {
      if (!incoming.complete) lingerBeforeClose(socket);
    });
  }

  get isComplete(): boolean {
    return this.#incoming.complete;
  }

  failBody(error: BodyError): void {
    this.closeConnection();
    this.#failure.reject(error);
  }

  /**
   * Reads it.
   *
   * @param limit octets
   * @throws {BodyError} `too-large`: answer 413; the connection is closed after the answer, the rest is not read
   */
  async read(limit: number): Promise<Buffer> {
    try {
      return await readBody(this.#incoming, this.#outgoing, limit, this.#failure.promise);
    } catch (error) {
      this.closeConnection();
      throw error;
    }
  }

  /** The connection ends after the answer. */
  closeConnection(): void {
    if (!this.#outgoing.headersSent) this.#outgoing.shouldKeepAlive = false;
  }
}
