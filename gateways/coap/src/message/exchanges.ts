// Requests on their way through the handler, RFC 7252 §5.2: each once, whatever comes again; answered in the Acknowledgement
// where that is possible in time, else acknowledged empty and answered in a message of its own. Nothing is begun for which
// there is no room.

import type { Clock } from '@gatehouse/runtime/clock';
import { encodeMessage } from './codec.ts';
import type { ConfirmableSender, DeliveryOutcome } from './confirmable-sender.ts';
import type { Journal } from './journal.ts';
import type { CoapMessage, CoapOption, RequestHandler, RequestMessage, ResponseMessage } from './message.ts';
import { screenOptions } from './options.ts';
import { encodeEmpty, internalError, refuseBusy, refuseOption, refuseProxying } from './replies.ts';
import type { ReplyBudget } from './reply-budget.ts';
import { type RememberedRequest, RequestMemory } from './request-memory.ts';
import type { Timing } from './timing.ts';
import type { TransmissionParameters } from './transmission-parameters.ts';

/** What {@link Exchanges} takes. */
export type ExchangesOptions = {
  readonly send: (datagram: Uint8Array) => void;
  readonly handle: RequestHandler;
  readonly clock: Clock;
  readonly timing: Timing;
  readonly parameters: TransmissionParameters;
  readonly understoodOptions: ReadonlySet<number>;
  readonly sender: ConfirmableSender;
  readonly takeMessageId: () => number;
  readonly journal: Journal;
  /** What fits into one datagram. */
  readonly maximumMessageOctets: number;
  readonly replyBudget: ReplyBudget;
  /** Called when a response has come, and what is due next may have changed. */
  readonly onProgress: () => void;
};

type Exchange = {
  readonly request: RememberedRequest;
  readonly token: Uint8Array;
  readonly acknowledgeAt: number;
};

/** The requests of one session. */
export class Exchanges {
  readonly #options: ExchangesOptions;
  readonly #memory: RequestMemory;
  /** Confirmable requests in work whose Acknowledgement has not been sent, oldest first. */
  readonly #unacknowledged = new Set<Exchange>();
  #isClosed = false;

  constructor(options: ExchangesOptions) {
    this.#options = options;
    this.#memory = new RequestMemory(options.parameters, options.replyBudget);
  }

  /** When something is to be acknowledged or forgotten; undefined when there is nothing. */
  get nextDue(): number | undefined {
    const [oldest] = this.#unacknowledged;
    const toForget = this.#memory.nextDue;
    if (oldest === undefined || toForget === undefined) return oldest?.acknowledgeAt ?? toForget;
    return Math.min(oldest.acknowledgeAt, toForget);
  }

  /** Takes a message whose code is that of a request. */
  take(message: CoapMessage): void {
    const { send, understoodOptions, journal } = this.#options;
    const known = this.#memory.find(message.messageId);
    if (known !== undefined) {
      journal.repeated();
      // RFC 7252 §4.5: a duplicate gets what the first one got; §4.3: a Non-confirmable one nothing.
      if (known.reply !== undefined) send(known.reply);
      return;
    }
    const screened = screenOptions(message.options, understoodOptions);
    if (screened.kind === 'bad-option') {
      journal.rejected('option', `critical option ${screened.number}`);
      // RFC 7252 §5.4.1: a Non-confirmable request is rejected in silence.
      if (message.type === 'con') this.#refuse(message, refuseOption(screened.number));
    } else if (screened.kind === 'proxying') {
      journal.rejected('option', 'a request for a proxy');
      this.#refuse(message, refuseProxying);
    } else {
      this.#begin(message, screened.options);
    }
  }

  /** Acknowledges and forgets what is due. */
  runDue(now: number): void {
    for (const exchange of this.#unacknowledged) {
      if (exchange.acknowledgeAt > now) break;
      this.#acknowledge(exchange);
    }
    this.#memory.forgetExpired(now);
  }

  /** Sends nothing any more; nor does what the handler answers from now on go anywhere. */
  close(): void {
    this.#isClosed = true;
    this.#unacknowledged.clear();
    this.#memory.clear();
  }

  #begin(message: CoapMessage, options: readonly CoapOption[]): void {
    const { parameters, timing, clock, journal } = this.#options;
    const { messageId, token, payload } = message;
    const isConfirmable = message.type === 'con';
    const now = timing.now();
    const request = this.#memory.begin(messageId, isConfirmable, now);
    if (request === undefined) {
      journal.rejected('busy', `${parameters.maximumRequests} requests are in work`);
      this.#refuse(message, refuseBusy(parameters.busyMaxAgeSeconds));
      return;
    }
    const exchange: Exchange = { request, token, acknowledgeAt: now + parameters.emptyAckAfterMs };
    if (isConfirmable) this.#unacknowledged.add(exchange);
    const receivedAt = clock.now();
    void this.#work(exchange, { method: message.code, options, payload, token, messageId, isConfirmable, receivedAt });
  }

  async #work(exchange: Exchange, request: RequestMessage): Promise<void> {
    const { handle, journal, onProgress } = this.#options;
    let response: ResponseMessage;
    try {
      response = await handle(request);
    } catch (error) {
      journal.failed(error, request.messageId);
      response = internalError;
    }
    if (this.#isClosed) {
      journal.unacknowledged(response, { cause: 'closed', isCertain: true });
      return;
    }
    try {
      this.#respond(exchange, response);
    } catch (error) {
      // It could not be written, and nothing of it was sent.
      journal.failed(error, request.messageId);
      journal.unacknowledged(response, { cause: 'failed', isCertain: true });
      this.#respond(exchange, internalError);
    }
    onProgress();
  }

  /** Sends a response. @throws {Error} when it cannot be written: nothing has changed then */
  #respond(exchange: Exchange, response: ResponseMessage): void {
    const { send, takeMessageId } = this.#options;
    const { request, token } = exchange;
    if (!request.isConfirmable) {
      // RFC 7252 §5.2.3: a Non-confirmable request is answered by a Non-confirmable message.
      const datagram = this.#write({ ...response, type: 'non', messageId: takeMessageId(), token });
      send(datagram);
      datagram.fill(0);
      this.#memory.end(request);
    } else if (this.#unacknowledged.has(exchange)) {
      const reply = this.#write({ ...response, type: 'ack', messageId: request.messageId, token });
      this.#unacknowledged.delete(exchange);
      send(reply);
      this.#memory.keepReply(request, reply);
      this.#memory.end(request);
    } else {
      this.#respondSeparately(exchange, response);
    }
  }

  /** RFC 7252 §5.2.2: after an Empty Acknowledgement the response MUST be sent in a message of its own. */
  #respondSeparately({ request, token }: Exchange, response: ResponseMessage): void {
    const { sender, takeMessageId, journal } = this.#options;
    const messageId = takeMessageId();
    const datagram = this.#write({ ...response, type: 'con', messageId, token });
    const settled = (outcome: DeliveryOutcome, transmissions: number): void => {
      datagram.fill(0);
      this.#memory.end(request);
      if (outcome === 'acknowledged') return;
      // RFC 7252 §4.2: a peer that took it, and whose Acknowledgement was lost, may reset what comes again.
      const isCertain = transmissions === 0 || (outcome === 'reset' && transmissions === 1);
      journal.unacknowledged(response, { cause: outcome, isCertain });
    };
    sender.push({ messageId, datagram, settled });
  }

  #write(message: CoapMessage): Buffer {
    const datagram = encodeMessage(message);
    if (datagram.length <= this.#options.maximumMessageOctets) return datagram;
    datagram.fill(0);
    throw new Error(`a message of ${datagram.length} octets, where ${this.#options.maximumMessageOctets} fit`);
  }

  #acknowledge(exchange: Exchange): void {
    const { send, journal } = this.#options;
    const acknowledgement = encodeEmpty('ack', exchange.request.messageId);
    this.#unacknowledged.delete(exchange);
    journal.separated();
    send(acknowledgement);
    // RFC 7252 §5.2.2: from here on a duplicate gets another Empty Acknowledgement, never the response.
    this.#memory.keepReply(exchange.request, acknowledgement);
  }

  /** Answers at once, and remembers nothing: a duplicate is judged as the first one was. */
  #refuse(message: CoapMessage, response: ResponseMessage): void {
    const { send, takeMessageId } = this.#options;
    const { token } = message;
    if (message.type === 'con') {
      send(encodeMessage({ ...response, type: 'ack', messageId: message.messageId, token }));
    } else {
      send(encodeMessage({ ...response, type: 'non', messageId: takeMessageId(), token }));
    }
  }
}
