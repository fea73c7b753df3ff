// The messages that this layer answers with by itself, RFC 7252 §4.1, §4.2, §5.4.1 and §5.9.

import { encodeMessage } from './codec.ts';
import { emptyCode, responseCodes } from './codes.ts';
import type { ResponseMessage } from './message.ts';
import { optionDefinitions, optionNumbers } from './option-numbers.ts';
import { uintOption } from './options.ts';

const nothing = new Uint8Array(0);

/** An Empty Acknowledgement or Reset, RFC 7252 §4.1 and §4.2. */
export function encodeEmpty(type: 'ack' | 'rst', messageId: number): Buffer {
  return encodeMessage({ type, code: emptyCode, messageId, token: nothing, options: [], payload: nothing });
}

/** RFC 7252 §5.4.1: a critical option that is not understood, named in the diagnostic payload. */
export function refuseOption(number: number): ResponseMessage {
  const name = optionDefinitions.get(number)?.name;
  return diagnostic(responseCodes.badOption, name === undefined ? `option ${number}` : `option ${number} (${name})`);
}

/** RFC 7252 §5.10.2: this is no proxy. */
export const refuseProxying: ResponseMessage = diagnostic(responseCodes.proxyingNotSupported, 'this is not a proxy');

/** The handler failed: the cause is in the log. */
export const internalError: ResponseMessage = diagnostic(responseCodes.internalServerError, 'internal error');

/** RFC 7252 §5.9.3.4: too much is in work; Max-Age says when to come again. */
export function refuseBusy(maxAgeSeconds: number): ResponseMessage {
  const response = diagnostic(responseCodes.serviceUnavailable, 'too many requests at once');
  return { ...response, options: [uintOption(optionNumbers.maxAge, maxAgeSeconds)] };
}

/** A response with a diagnostic payload, RFC 7252 §5.5.2. */
function diagnostic(code: number, text: string): ResponseMessage {
  return { code, options: [], payload: Buffer.from(text, 'utf8') };
}
