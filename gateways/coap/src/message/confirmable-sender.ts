// Our own Confirmable messages, RFC 7252 §4.2: one in flight (NSTART 1, §4.7), the others behind it in their order; sent again
// with a wait that doubles until it is acknowledged, reset or given up. Each message is settled exactly once.

import type { TransmissionParameters } from './transmission-parameters.ts';

/** What became of a message. */
export type DeliveryOutcome = 'acknowledged' | 'reset' | 'timed-out' | 'closed';

/** A message to be sent. */
export type ConfirmableMessage = {
  readonly messageId: number;
  readonly datagram: Uint8Array;
  /** Called once; must not throw. @param transmissions how often it was sent, 0 when its turn never came */
  settled(outcome: DeliveryOutcome, transmissions: number): void;
};

/** What {@link ConfirmableSender} takes. */
export type ConfirmableSenderOptions = {
  readonly parameters: TransmissionParameters;
  readonly now: () => number;
  readonly send: (datagram: Uint8Array) => void;
  /** Called for each retransmission. */
  readonly onRetransmission: () => void;
};

type InFlight = { readonly message: ConfirmableMessage; waitMs: number; retransmissions: number; dueAt: number };

/** The Confirmable messages to one peer. */
export class ConfirmableSender {
  readonly #options: ConfirmableSenderOptions;
  readonly #waiting: ConfirmableMessage[] = [];
  #inFlight: InFlight | undefined;

  constructor(options: ConfirmableSenderOptions) {
    this.#options = options;
  }

  /** When the message in flight is to be sent again or given up; undefined when there is none. */
  get nextDue(): number | undefined {
    return this.#inFlight?.dueAt;
  }

  /** Sends a message as soon as it is its turn. */
  push(message: ConfirmableMessage): void {
    this.#waiting.push(message);
    if (this.#inFlight === undefined) this.#sendNext();
  }

  /** The peer has acknowledged or reset a message; one that is not in flight is passed over. */
  take(messageId: number, outcome: 'acknowledged' | 'reset'): void {
    if (this.#inFlight?.message.messageId === messageId) this.#settle(this.#inFlight, outcome);
  }

  /** Sends again, or gives up, what is due. */
  runDue(now: number): void {
    const inFlight = this.#inFlight;
    if (inFlight === undefined || inFlight.dueAt > now) return;
    // RFC 7252 §4.2: MAX_RETRANSMIT times again, and one more wait after the last.
    if (inFlight.retransmissions >= this.#options.parameters.maxRetransmit) {
      this.#settle(inFlight, 'timed-out');
      return;
    }
    inFlight.retransmissions++;
    inFlight.waitMs *= 2;
    inFlight.dueAt = now + inFlight.waitMs;
    this.#options.onRetransmission();
    this.#options.send(inFlight.message.datagram);
  }

  /** Sends nothing any more: what was not acknowledged is settled as closed. */
  close(): void {
    const unsent = this.#waiting.splice(0);
    const inFlight = this.#inFlight;
    this.#inFlight = undefined;
    inFlight?.message.settled('closed', 1 + inFlight.retransmissions);
    for (const message of unsent) message.settled('closed', 0);
  }

  #settle({ message, retransmissions }: InFlight, outcome: DeliveryOutcome): void {
    this.#inFlight = undefined;
    message.settled(outcome, 1 + retransmissions);
    this.#sendNext();
  }

  #sendNext(): void {
    const message = this.#waiting.shift();
    if (message === undefined) return;
    const { parameters, now, send } = this.#options;
    // RFC 7252 §4.2: between ACK_TIMEOUT and ACK_TIMEOUT × ACK_RANDOM_FACTOR.
    const waitMs = parameters.ackTimeoutMs * (1 + Math.random() * (parameters.ackRandomFactor - 1));
    this.#inFlight = { message, waitMs, retransmissions: 0, dueAt: now() + waitMs };
    send(message.datagram);
  }
}
