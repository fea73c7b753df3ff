// One table a gate: what each type of error of the keep becomes in the gate's protocol. The type makes the table complete: a new error type fails the build of every gate.

import type { CoreError, CoreErrorType } from '@gatehouse/ra-client/core-error';
import { type AnswerHeaders, textAnswer } from './answer.ts';

/** A value for every type of error of the contract. */
export type ErrorTable<Answer> = Readonly<Record<CoreErrorType, Answer>>;

/** What an error becomes over HTTP. */
export type HttpError = {
  readonly status: number;
  /** Sent as Retry-After (seconds, never a date) when the core gave no time itself. */
  readonly retryAfterSeconds?: number | undefined;
};

/** What most protocols over HTTP answer; a gate spreads it and changes its rows. */
export const httpErrors: ErrorTable<HttpError> = {
  malformed: { status: 400 },
  'bad-csr': { status: 400 },
  'bad-key': { status: 400 },
  unauthorized: { status: 403 },
  'out-of-scope': { status: 403 },
  'rejected-name': { status: 400 },
  'profile-unknown': { status: 404 },
  'profile-refuses': { status: 403 },
  'evidence-missing': { status: 403 },
  'evidence-invalid': { status: 403 },
  'already-revoked': { status: 409 },
  'not-found': { status: 404 },
  conflict: { status: 409 },
  'rate-limited': { status: 429, retryAfterSeconds: 5 },
  unavailable: { status: 503, retryAfterSeconds: 5 },
  internal: { status: 500 },
};

/** The answer in plain text for an error of the keep. */
export function answerCoreError(error: CoreError, table: ErrorTable<HttpError> = httpErrors): Response {
  const row = table[error.code];
  const retryAfterSeconds =
    row.retryAfterSeconds === undefined ? undefined : (error.retryAfterSeconds ?? row.retryAfterSeconds);
  const headers: AnswerHeaders =
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterSeconds))) };
  return textAnswer(row.status, describeCoreError(error), headers);
}

/** One line for the client: the detail with the names it is about; of an internal error the incident's id and nothing else. */
export function describeCoreError(error: CoreError): string {
  if (error.code === 'internal') {
    return error.incident === undefined ? 'internal error' : `internal error, incident ${error.incident}`;
  }
  const names = error.names.map(({ detail }) => detail).filter((detail) => !error.detail.includes(detail));
  return names.length === 0 ? error.detail : `${error.detail}: ${names.join('; ')}`;
}

/** What to write into the log line of a request that ended with an error. */
export function noteCoreError(error: CoreError): Readonly<Record<string, unknown>> {
  return {
    outcome: error.code,
    detail: error.detail,
    ...(error.incident === undefined ? {} : { incident: error.incident }),
    ...(error.code === 'internal' || error.code === 'unavailable' ? { err: error } : {}),
  };
}
