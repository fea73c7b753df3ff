// The one error for 'this process cannot go on, and a person can mend it': a sentence for the operator and a hint that
// says what to do next. Everything that stops a start throws this, so that the operator reads one clear line. It must
// never carry a secret or need a stack trace to be understood.

/** What a {@link FatalError} may carry besides its sentence. */
export type FatalErrorOptions = {
  /** What to do next, in the imperative: 'run: chmod 600 …'. */
  readonly hint?: string | undefined;
  /** Exit status of the process; 1 unless told. 78 (EX_CONFIG of sysexits.h) is used for configuration. */
  readonly exitCode?: number | undefined;
  /** The error underneath, for the log. */
  readonly cause?: unknown;
};

/**
 * An error that ends the process with one clear message.
 *
 * @example throw new FatalError('port 7030 on 127.0.0.1 is taken', { hint: 'stop the other process or set
 * est.listen.port' });
 */
export class FatalError extends Error {
  override readonly name: string = 'FatalError';
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(message: string, options: FatalErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** The message and, on a line of its own, the hint: what the operator is shown. */
export function formatFatalError(error: FatalError): string {
  return error.hint === undefined ? error.message : `${error.message}\n  ${error.hint}`;
}
