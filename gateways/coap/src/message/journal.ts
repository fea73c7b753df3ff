// What a message layer says of what went wrong: each in its metric, and in the log as much as a peer cannot fill it with.

import type { Logger } from '@gatehouse/runtime/log';
import { formatCode } from './codes.ts';
import type { Loss, ResponseMessage } from './message.ts';
import type { MessageMetrics, RejectionCause } from './metrics.ts';

/** The notes of one session. */
export class Journal {
  readonly #log: Logger;
  readonly #metrics: MessageMetrics;
  /** Causes that have had their line. */
  readonly #logged = new Set<RejectionCause>();
  #hasFailedToSend = false;

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

  /** The peer did not acknowledge a response; whoever gave it is told. */
  unacknowledged(response: ResponseMessage, loss: Loss): void {
    const { cause, isCertain } = loss;
    this.#metrics.unacknowledged.inc({ cause });
    this.#log.info({ cause, isCertain, code: formatCode(response.code) }, 'a response was not acknowledged');
    try {
      response.onUnacknowledged?.(loss);
    } catch (error) {
      this.#log.error({ err: error }, 'what an unacknowledged response leaves could not be cleared');
    }
  }

  /** The handler threw. */
  failed(error: unknown, messageId: number): void {
    this.#log.error({ err: error, messageId }, 'a request could not be answered');
  }

  /** A datagram could not be handed over: it is lost. One line a session. */
  notSent(error: unknown): void {
    if (this.#hasFailedToSend) return;
    this.#hasFailedToSend = true;
    this.#log.error({ err: error }, 'a datagram could not be sent');
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
