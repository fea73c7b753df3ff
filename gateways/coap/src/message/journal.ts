// What a message layer says of what went wrong: each in its metric, and in the log as much as a peer cannot fill it with.

import type { Logger } from '@gatehouse/runtime/log';
import { formatCode } from './codes.ts';
import type { ResponseMessage } from './message.ts';
import type { MessageMetrics, RejectionCause, UndeliveredCause } from './metrics.ts';

/** The notes of one session. */
export class Journal {
  readonly #log: Logger;
  readonly #metrics: MessageMetrics;
  /** Causes that have had their line. */
  readonly #logged = new Set<RejectionCause>();

  constructor(log: Logger, metrics: MessageMetrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  /** A message came to nothing. One line a session and cause; the metric says how often. */
  rejected(cause: RejectionCause, detail: string): void {
    this.#metrics.rejections.inc({ cause });
    if (this.#logged.has(cause)) return;
    this.#logged.add(cause);
    this.#log.info({ cause, detail }, 'a message was rejected');
  }

  /** A response did not reach the peer; whoever gave it is told. */
  undelivered(response: ResponseMessage, cause: UndeliveredCause): void {
    this.#metrics.undelivered.inc({ cause });
    this.#log.info({ cause, code: formatCode(response.code) }, 'a response was not delivered');
    try {
      response.onUndelivered?.();
    } catch (error) {
      this.#log.error({ err: error }, 'what an undelivered response leaves could not be cleared');
    }
  }

  /** The handler threw. */
  failed(error: unknown, messageId: number): void {
    this.#log.error({ err: error, messageId }, 'a request could not be answered');
  }

  /** A request came again. */
  repeated(): void {
    this.#metrics.duplicates.inc();
  }

  /** A response of ours was sent again. */
  retransmitted(): void {
    this.#metrics.retransmissions.inc();
  }

  /** A request was acknowledged before it was answered. */
  separated(): void {
    this.#metrics.separateResponses.inc();
  }
}
