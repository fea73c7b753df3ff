// One CoAP message at a time, client side (RFC 7252 §4 and §5.2): Confirmable messages are sent again until they are
// acknowledged, responses come piggybacked or separate and are acknowledged. Written over coap-packet and not over the gate's
// own codec, so that an error of that codec does not hide itself.

import { randomBytes, randomInt } from 'node:crypto';
import { generate, type ParsedPacket, parse } from 'coap-packet';

/** What carries messages: a DtlsClient, or a test's own. */
export type CoapLink = { send(message: Uint8Array): void; onMessage: (message: Buffer) => void };

/** An option by number. */
export type Option = { readonly number: number; readonly value: Uint8Array };

/** A response. */
export type Response = {
  /** '2.05' */
  readonly code: string;
  readonly options: readonly Option[];
  readonly payload: Buffer;
  /** It came by itself behind an empty ACK, or before it (RFC 7252 §5.2.2). */
  readonly isSeparate: boolean;
};

/** One request message. */
export type RequestMessage = {
  readonly code: string;
  readonly options: readonly Option[];
  readonly payload?: Uint8Array | undefined;
  /** Four random octets unless told. */
  readonly token?: Uint8Array | undefined;
  readonly messageId?: number | undefined;
  readonly isConfirmable?: boolean | undefined;
};

/** Times, in milliseconds (RFC 7252 §4.8). */
export type ExchangeTimes = {
  readonly ackTimeoutMs: number;
  readonly maximumRetransmissions: number;
  /** For the response, from the request on. */
  readonly responseTimeoutMs: number;
};

const defaultTimes: ExchangeTimes = { ackTimeoutMs: 2000, maximumRetransmissions: 4, responseTimeoutMs: 60_000 };

type Waiting = {
  readonly token: string;
  readonly messageId: number;
  stopRetransmission(): void;
  resolve(response: Response): void;
  reject(error: Error): void;
};

/** The peer's Reset (RFC 7252 §4.2). */
export class ResetError extends Error {}

/** Requests and responses over one link; several at a time are possible, as a test may want what NSTART forbids. */
export class CoapExchanges {
  /** Messages that were sent again. */
  retransmissions = 0;
  /** Every message of the server that could be read. */
  onAnything: (message: ParsedPacket) => void = () => undefined;

  readonly #link: CoapLink;
  readonly #times: ExchangeTimes;
  readonly #waiting = new Set<Waiting>();
  readonly #seen = new Set<number>();
  #messageId = randomInt(0x10000);

  constructor(link: CoapLink, times: Partial<ExchangeTimes> = {}) {
    this.#link = link;
    this.#times = { ...defaultTimes, ...times };
    link.onMessage = (datagram) => this.#received(datagram);
  }

  /** The next free Message ID. */
  nextMessageId(): number {
    this.#messageId = (this.#messageId + 1) & 0xffff;
    return this.#messageId;
  }

  /**
   * Sends one request and waits for its response.
   *
   * @throws ResetError when the server reset it
   * @throws Error when there was no acknowledgement or no response in time
   */
  async exchange(request: RequestMessage): Promise<Response> {
    const { token = randomBytes(4), messageId = this.nextMessageId(), isConfirmable = true } = request;
    const datagram = encode({ ...request, token, messageId, isConfirmable });
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const { responseTimeoutMs } = this.#times;
    const limit = setTimeout(() => reject(new Error(`no response in ${responseTimeoutMs} ms`)), responseTimeoutMs);
    const stopRetransmission = isConfirmable ? this.#sendUntilAcknowledged(datagram, reject) : () => undefined;
    if (!isConfirmable) this.#link.send(datagram);
    const waiting = { token: Buffer.from(token).toString('hex'), messageId, stopRetransmission, resolve, reject };
    this.#waiting.add(waiting);
    try {
      return await promise;
    } finally {
      clearTimeout(limit);
      stopRetransmission();
      this.#waiting.delete(waiting);
    }
  }

  /** Octets as they are, of which nothing is awaited. */
  sendRaw(datagram: Uint8Array): void {
    this.#link.send(datagram);
  }

  /** The next message of the server for which this holds. Of time the caller takes care. */
  next(isWanted: (message: ParsedPacket) => boolean): Promise<ParsedPacket> {
    const { promise, resolve } = Promise.withResolvers<ParsedPacket>();
    const before = this.onAnything;
    this.onAnything = (message) => {
      before(message);
      if (!isWanted(message)) return;
      this.onAnything = before;
      resolve(message);
    };
    return promise;
  }

  #sendUntilAcknowledged(datagram: Uint8Array, fail: (error: Error) => void): () => void {
    let timer: NodeJS.Timeout | undefined;
    const attempt = (left: number, waitMs: number): void => {
      this.#link.send(datagram);
      timer = setTimeout(() => {
        if (left === 0) return fail(new Error('the request was never acknowledged'));
        this.retransmissions++;
        attempt(left - 1, waitMs * 2);
      }, waitMs);
    };
    // RFC 7252 §4.2: ACK_RANDOM_FACTOR is 1.5.
    attempt(this.#times.maximumRetransmissions, this.#times.ackTimeoutMs * (1 + Math.random() / 2));
    return () => clearTimeout(timer);
  }

  #received(datagram: Buffer): void {
    const message = parse(datagram);
    this.onAnything(message);
    if (message.ack || message.reset) {
      this.#acknowledged(message);
      return;
    }
    const token = message.token.toString('hex');
    const waiting = [...this.#waiting].find((each) => each.token === token);
    if (message.confirmable) {
      // RFC 7252 §4.2: a repetition is acknowledged again; what nobody waits for is reset.
      const isWelcome = waiting !== undefined || this.#seen.has(message.messageId);
      this.#link.send(Buffer.from([isWelcome ? 0x60 : 0x70, 0, message.messageId >> 8, message.messageId & 0xff]));
      if (isWelcome) this.#seen.add(message.messageId);
    }
    waiting?.stopRetransmission();
    waiting?.resolve(responseOf(message, true));
  }

  #acknowledged(message: ParsedPacket): void {
    const waiting = [...this.#waiting].find((each) => each.messageId === message.messageId);
    if (waiting === undefined) return;
    waiting.stopRetransmission();
    if (message.reset) waiting.reject(new ResetError('the request was reset'));
    else if (message.code !== '0.00') waiting.resolve(responseOf(message, false));
  }
}

/** The octets of a message. */
export function encode({ code, options, payload, token, messageId, isConfirmable = true }: RequestMessage): Buffer {
  const packet = {
    code,
    options: options.map(({ number, value }) => ({ name: number, value: Buffer.from(value) })),
    payload: Buffer.from(payload ?? []),
    token: Buffer.from(token ?? []),
    confirmable: isConfirmable,
    ...(messageId === undefined ? {} : { messageId }),
  };
  return generate(packet, 65_535);
}

function responseOf(message: ParsedPacket, isSeparate: boolean): Response {
  const options = message.options.map(({ name, value }) => ({ number: numberOf(name), value }));
  return { code: message.code, options, payload: message.payload, isSeparate };
}

// coap-packet gives options that it knows by name, others by number as text. The names are those of responses alone.
const named: Readonly<Record<string, number>> = {
  ETag: 4,
  'Location-Path': 8,
  'Content-Format': 12,
  'Max-Age': 14,
  'Location-Query': 20,
  Block2: 23,
  Block1: 27,
  Size2: 28,
  Size1: 60,
};

function numberOf(name: string | number): number {
  return named[name] ?? Number(name);
}
