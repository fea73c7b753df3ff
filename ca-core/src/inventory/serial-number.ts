/** A serial number as callers spell it: hexadecimal in either case, with or without leading zero octets. */
import { CoreError } from '@gatehouse/proto/core-error';

/** RFC 5280 §4.1.2.2: 20 octets at most, and one of sign. */
const form = /^[0-9a-fA-F]{1,42}$/;

/** The form in which certificates are recorded: lower case, without leading zero octets. Throws CoreError `malformed`. */
export function readSerialNumber(text: string): string {
  if (!form.test(text)) throw new CoreError('malformed', 'the serial number is not hexadecimal or too long');
  return text.toLowerCase().replace(/^(?:00)+(?=..)/, '');
}
