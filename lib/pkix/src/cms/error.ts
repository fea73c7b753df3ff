// The typed error of CMS readers (RFC 5652). It says what part of a message is wrong and never shows decrypted content.
import { PkixError } from '../errors.ts';

/** Bytes that are not the CMS content that was expected. */
export class CmsError extends PkixError {
  readonly code = 'malformed';
}
