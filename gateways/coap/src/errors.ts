// How a refusal becomes an answer of CoAP, RFC 9148 §4.5: one table for what the keep says, one for what the gate says. Every
// refusal has a diagnostic payload of one short line that holds no internals, and whatever may be tried again says when; a
// new type of error without a row does not compile.

import { oneLine } from '@gatehouse/gateway-kit/answer';
import { describeCoreError, type ErrorTable } from '@gatehouse/gateway-kit/error-table';
import type { EstError, EstErrorCode } from '@gatehouse/gateway-kit/est/error';
import type { CoreError } from '@gatehouse/ra-client/core-error';
import { responseCodes } from './message/codes.ts';
import type { CoapResponse } from './request.ts';

const {
  badRequest,
  unauthorized,
  forbidden,
  notFound,
  methodNotAllowed,
  notAcceptable,
  conflict,
  requestEntityIncomplete,
  requestEntityTooLarge,
  unsupportedContentFormat,
  tooManyRequests,
  internalServerError,
  serviceUnavailable,
} = responseCodes;

/** What each type of CoreError becomes. */
export const coreErrorCodes: ErrorTable<number> = {
  malformed: badRequest,
  'bad-csr': badRequest,
  'bad-key': badRequest,
  'rejected-name': badRequest,
  unauthorized,
  'out-of-scope': forbidden,
  // The label is configured for a profile that the keep does not have: nothing that a client could mend.
  'profile-unknown': internalServerError,
  'profile-refuses': forbidden,
  'evidence-missing': forbidden,
  'evidence-invalid': forbidden,
  'already-revoked': conflict,
  'not-found': notFound,
  conflict,
  'rate-limited': tooManyRequests,
  unavailable: serviceUnavailable,
  internal: internalServerError,
};

/** What each of the gate's own refusals becomes. */
export const estErrorCodes: Readonly<Record<EstErrorCode, number>> = {
  malformed: badRequest,
  'wrong-name': badRequest,
  unauthenticated: unauthorized,
  'not-allowed': forbidden,
  'not-found': notFound,
  'method-not-allowed': methodNotAllowed,
  'too-slow': requestEntityIncomplete,
  'too-large': requestEntityTooLarge,
  'unsupported-media-type': unsupportedContentFormat,
  'too-many-requests': tooManyRequests,
  unavailable: serviceUnavailable,
};

/** Why this gate refuses beside the reasons that it shares with EST over HTTPS: RFC 7252 §5.5.4 has no equal there. */
export class NotAcceptableError extends Error {
  override readonly name = 'NotAcceptableError';
  readonly detail: string;

  constructor(detail: string) {
    super(detail);
    this.detail = detail;
  }
}

/** Seconds to wait where nobody says: 5.03 and 4.29 always carry Max-Age. */
const defaultRetryAfterSeconds = 5;
const longestDiagnosticOctets = 64;

/** The answer to a refusal by the gate. */
export function answerEstError(error: EstError): CoapResponse {
  return refuse(estErrorCodes[error.code], error.detail, error.retryAfterSeconds);
}

/** The answer where no format that the client accepts can be given, RFC 7252 §5.10.4. */
export function answerNotAcceptable(error: NotAcceptableError): CoapResponse {
  return refuse(notAcceptable, error.detail);
}

/** The answer to a refusal by the keep. */
export function answerCoreError(error: CoreError): CoapResponse {
  const code = coreErrorCodes[error.code];
  return refuse(
    code,
    code === internalServerError ? 'internal error' : describeCoreError(error),
    error.retryAfterSeconds,
  );
}

/** The answer when the gate has too much to do, or is about to end. */
export function answerBusy(): CoapResponse {
  return refuse(serviceUnavailable, 'the gate is busy');
}

/** The answer when something broke: the incident id is all that leaves the house. */
export function answerInternal(incident: string): CoapResponse {
  return refuse(internalServerError, `internal error, incident ${incident}`);
}

/** RFC 7252 §5.10.5: whole seconds, at least one. */
export function toMaxAge(seconds: number): number {
  return Math.min(0xffff_ffff, Math.max(1, Math.ceil(seconds)));
}

/** A diagnostic payload, RFC 7252 §5.5.2: UTF-8 without a content format, cut between characters. */
export function toDiagnostic(detail: string): Uint8Array {
  const whole = Buffer.from(oneLine(detail));
  if (whole.length <= longestDiagnosticOctets) return whole;
  const mark = Buffer.from('…');
  let end = longestDiagnosticOctets - mark.length;
  // The octets within a character of UTF-8 begin with 10.
  while (((whole[end] ?? 0) & 0xc0) === 0x80) end--;
  return Buffer.concat([whole.subarray(0, end), mark]);
}

function refuse(code: number, detail: string, retryAfterSeconds?: number): CoapResponse {
  const isTemporary = code === serviceUnavailable || code === tooManyRequests;
  return {
    code,
    payload: toDiagnostic(detail),
    ...(isTemporary ? { maxAgeSeconds: toMaxAge(retryAfterSeconds ?? defaultRetryAfterSeconds) } : {}),
    outcome: oneLine(detail),
  };
}
