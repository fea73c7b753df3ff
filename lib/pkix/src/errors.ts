// The one family that every error of this package belongs to: a stable `code`, and a `detail` that a caller may show to
// the peer whose bytes were refused. It must never carry secrets, stack traces or more of the input than the offender.

/** Base of all errors of this package. `detail` is one line that names the offender and is fit for the peer. */
export abstract class PkixError extends Error {
  abstract readonly code: string;
  readonly detail: string;

  constructor(detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.name = new.target.name;
    this.detail = detail;
  }
}
