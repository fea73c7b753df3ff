// How an operation that changed another number of rows ends its transaction.

/** Carries what the operation's `otherwise` made, so that it is never taken for a failure of the database. */
export class Unexpected extends Error {
  readonly error: Error;

  constructor(error: Error) {
    super('another number of rows changed than was expected');
    this.error = error;
  }
}
