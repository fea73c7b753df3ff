// How a refusal becomes an answer of EST: one table for what the keep says, one for what the gate says. Every
// refusal is one line of text and holds no internals; a new type of CoreError without a row does not compile.

import { oneLine } from '@gatehouse/gateway-kit/answer';
import { describeCoreError, type ErrorTable, type HttpError, httpErrors } from '@gatehouse/gateway-kit/error-table';
import type { CoreError } from '@gatehouse/ra-client/core-error';
import type { EstAnswer } from './exchange.ts';

/** What each type of CoreError becomes. */
export const coreErrors: ErrorTable<HttpError> = {
  ...httpErrors,
  // The label is configured for a profile that the keep does not have: nothing that a client could mend, and no 404,
  // which would say that the label does not exist.
  'profile-unknown': { status: 500 },
};

/** Why the gate itself refuses. */
export type EstErrorCode =
  | 'malformed'
  | 'not-found'
  | 'method-not-allowed'
  | 'unsupported-media-type'
  | 'too-large'
  | 'too-slow'
  | 'unauthenticated'
  | 'not-allowed'
  | 'wrong-name'
  | 'too-many-requests'
  | 'unavailable';

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

/** What an {@link EstError} may carry besides its detail. */
export type EstErrorOptions = {
  readonly headers?: Readonly<Record<string, string>>;
  readonly retryAfterSeconds?: number;
  /** For the log only. */
  readonly cause?: unknown;
};

/** A refusal by the gate. `detail` goes to the client: it names the offender, never internals. */
export class EstError extends Error {
  override readonly name = 'EstError';
  readonly code: EstErrorCode;
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: EstErrorCode, detail: string, options: EstErrorOptions = {}) {
    super(`${code}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = detail;
    this.headers = options.headers ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** The answer to a refusal by the gate. */
export function answerEstError(error: EstError): EstAnswer {
  const status = estErrorStatus[error.code];
  const retry = status === 429 || status === 503 ? retryAfter(error.retryAfterSeconds) : {};
  return refuse(status, error.detail, { ...error.headers, ...retry });
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
