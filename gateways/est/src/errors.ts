// How a refusal becomes an answer of EST: one table for what the keep says, one for what the gate says. Every
// refusal is one line of text and holds no internals; a new type of CoreError without a row does not compile.

import { oneLine } from '@gatehouse/gateway-kit/answer';
import { describeCoreError, type ErrorTable, type HttpError, httpErrors } from '@gatehouse/gateway-kit/error-table';
import { EstError, type EstErrorCode, type EstErrorOptions } from '@gatehouse/gateway-kit/est/error';
import type { CoreError } from '@gatehouse/ra-client/core-error';
import type { EstAnswer } from './exchange.ts';

/** What each type of CoreError becomes. */
export const coreErrors: ErrorTable<HttpError> = {
  ...httpErrors,
  // The label is configured for a profile that the keep does not have: nothing that a client could mend, and no 404,
  // which would say that the label does not exist.
  'profile-unknown': { status: 500 },
};

/** Status of each of the gate's own refusals. */
export const estErrorStatus: Readonly<Record<EstErrorCode, number>> = {
  malformed: 400,
  'wrong-name': 400,
  unauthenticated: 401,
  'not-allowed': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'too-slow': 408,
  'too-large': 413,
  'unsupported-media-type': 415,
  'too-many-requests': 429,
  unavailable: 503,
};

/** Seconds to wait where the keep does not say: 503 and 429 always carry Retry-After. */
const defaultRetryAfterSeconds = 5;

/** What an {@link HttpRefusal} may carry besides its detail. */
export type HttpRefusalOptions = EstErrorOptions & {
  /** Fields of the answer by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
};

/** A refusal whose answer must have fields of its own: RFC 9110 §11.6.1 (WWW-Authenticate), §10.2.1 (Allow). */
export class HttpRefusal extends EstError {
  override readonly name = 'HttpRefusal';
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: EstErrorCode, detail: string, options: HttpRefusalOptions) {
    super(code, detail, options);
    this.headers = options.headers;
  }
}

/** The answer to a refusal by the gate. */
export function answerEstError(error: EstError): EstAnswer {
  const status = estErrorStatus[error.code];
  const retry = status === 429 || status === 503 ? retryAfter(error.retryAfterSeconds) : {};
  const headers = error instanceof HttpRefusal ? error.headers : {};
  return refuse(status, error.detail, { ...headers, ...retry });
}

/** The answer to a refusal by the keep. */
export function answerCoreError(error: CoreError): EstAnswer {
  const { status, retryAfterSeconds } = coreErrors[error.code];
  if (error.code === 'profile-unknown') return answerInternal('');
  const retry = retryAfterSeconds === undefined ? {} : retryAfter(error.retryAfterSeconds ?? retryAfterSeconds);
  return refuse(status, describeCoreError(error), retry);
}

/** The answer when something broke: the incident id is all that leaves the house. */
export function answerInternal(incident: string): EstAnswer {
  return refuse(500, incident === '' ? 'internal error' : `internal error, incident ${incident}`);
}

function retryAfter(seconds: number | undefined): Record<string, string> {
  return { 'retry-after': String(Math.max(1, Math.ceil(seconds ?? defaultRetryAfterSeconds))) };
}

function refuse(status: number, detail: string, headers: Readonly<Record<string, string>> = {}): EstAnswer {
  const line = oneLine(detail);
  return { status, contentType: 'text/plain; charset=utf-8', body: `${line}\n`, headers, outcome: line };
}
