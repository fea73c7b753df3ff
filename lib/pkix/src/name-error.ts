// The typed error of distinguished and general names. `detail` begins with the kind of name that was refused, so that a
// gate can name the offending field to its client; it must never repeat more of a value than the client itself sent.
import { PkixError } from './errors.ts';

/** A name that is well-formed DER and still no name that may stand in a certificate. */
export class NameError extends PkixError {
  readonly code = 'name';
}
