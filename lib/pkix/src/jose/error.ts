// What can be wrong with a JOSE object that somebody sent, as the few kinds that protocols treat differently.

import { PkixError } from '../errors.ts';

/**
 * `malformed`: not what RFC 7515, 7517 or 8259 prescribe, or more than is allowed. `bad-key`: a key of a kind that is not
 * accepted, or a weak one. `private-key`: somebody sent a private key; it is lost. `bad-algorithm`: an `alg` that is not
 * accepted or does not fit the key.
 */
export type JoseErrorCode = 'malformed' | 'bad-key' | 'private-key' | 'bad-algorithm';

/** A JOSE object that is refused. */
export class JoseError extends PkixError {
  readonly code: JoseErrorCode;

  constructor(code: JoseErrorCode, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.code = code;
  }
}
