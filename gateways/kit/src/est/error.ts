// Why a gate of EST itself refuses, over whichever transport: one family of errors for RFC 7030 and RFC 9148. What each
// becomes on the wire stands in one table of each gate; a code without a row does not compile there.

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

/** What an {@link EstError} may carry besides its detail. */
export type EstErrorOptions = {
  readonly retryAfterSeconds?: number;
  /** For the log only. */
  readonly cause?: unknown;
};

/** A refusal by the gate. `detail` goes to the client: it names the offender, never internals. */
export class EstError extends Error {
  override readonly name: string = 'EstError';
  readonly code: EstErrorCode;
  readonly detail: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: EstErrorCode, detail: string, options: EstErrorOptions = {}) {
    super(`${code}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = detail;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
