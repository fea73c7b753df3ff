// What a resource of the CoAP gate sees: a whole request and a whole response, RFC 7252 §5.1 and §5.2. How many messages
// either of them took (RFC 7959) is not the resource's affair; it must never look at tokens or message ids.

import type { CoapOption } from './message/message.ts';

/** A request with its whole body. */
export type CoapRequest = {
  readonly requestId: string;
  /** The request code, RFC 7252 §12.1.1: 1 GET, 2 POST, … */
  readonly method: number;
  /** Uri-Path, one element a segment, decoded. */
  readonly path: readonly string[];
  /** Uri-Query, one element an argument, decoded. */
  readonly query: readonly string[];
  /** Content-Format, RFC 7252 §5.10.3; undefined when the option is absent. */
  readonly contentFormat: number | undefined;
  /** Accept, RFC 7252 §5.10.4; undefined when the option is absent. */
  readonly accept: number | undefined;
  readonly payload: Uint8Array;
  /** All options, of the message that made the body whole. */
  readonly options: readonly CoapOption[];
};

/**
 * A response with its whole body. Each callback is called at most once; `onUndelivered` may follow `onDelivered`, when a message
 * that was believed to have arrived turns out to have been rejected. 5.03 and 4.29 hand nothing out and must have neither.
 */
export type CoapResponse = {
  /** The response code, class << 5 | detail, RFC 7252 §12.1.2. */
  readonly code: number;
  readonly contentFormat?: number | undefined;
  readonly payload?: Uint8Array | undefined;
  /** Max-Age, RFC 7252 §5.10.5. */
  readonly maxAgeSeconds?: number | undefined;
  /** Options beside Content-Format, Max-Age, ETag, Block1, Block2, Size1 and Size2, which are written here. */
  readonly options?: readonly CoapOption[] | undefined;
  /** The payload is a secret and is handed over: it is overwritten in place when it is forgotten. */
  readonly isSecret?: boolean | undefined;
  /** It is certain that the client has not got the last block. A refusal of the promise is logged, nothing else. */
  readonly onUndelivered?: (() => Promise<void>) | undefined;
  /**
   * The last block was handed out and nobody will ask for it again. Where its Acknowledgement did not come the client may
   * have it or not: that is logged and counted, and nothing must be undone.
   */
  readonly onDelivered?: (() => void) | undefined;
  /** One word for the log and the metrics. */
  readonly outcome?: string | undefined;
};

/** Answers a whole request. It must not throw for anything that a client sent. */
export type ResourceHandler = (request: CoapRequest) => Promise<CoapResponse>;
