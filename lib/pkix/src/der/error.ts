// The typed error of everything that reads or writes DER (X.690). Parsers throw nothing else for foreign bytes, so that
// a caller can tell bad input from a defect; it must never be thrown for a mistake of the program.
import { PkixError } from '../errors.ts';

/** Bytes that are not the DER that was expected (X.690 §8 to §11). `detail` names what was found and where. */
export class DerError extends PkixError {
  readonly code = 'der';
}
