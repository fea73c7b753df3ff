// Contacts of an account, RFC 8555 §7.3: URLs by which a person can be reached. Only mailto is supported, with one address
// and nothing else in it; what is refused here would fail when somebody has to be told that his key is lost.

import { checkEmailAddress } from '@gatehouse/pkix/general-name-syntax';
import type { JsonValue } from '@gatehouse/pkix/jose/json';
import { AcmeError } from './errors.ts';

const mostContacts = 10;
const longestContact = 512;

/**
 * Reads the member `contact`.
 *
 * @returns undefined when it is not there
 * @throws {AcmeError} `malformed`, `unsupportedContact`, `invalidContact`
 */
export function readContact(value: JsonValue | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw new AcmeError('malformed', "'contact' is not a list");
  if (value.length > mostContacts) {
    throw new AcmeError('invalidContact', `there are ${value.length} contacts; at most ${mostContacts} are kept`);
  }
  return value.map(readOne);
}

function readOne(contact: JsonValue): string {
  if (typeof contact !== 'string') throw new AcmeError('malformed', "a 'contact' is not a string");
  if (contact.length > longestContact) throw invalid('a contact', `has more than ${longestContact} characters`);
  const [, scheme, rest = ''] = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(contact) ?? [];
  if (scheme === undefined) throw invalid(`'${contact}'`, 'is not a URL');
  if (scheme.toLowerCase() !== 'mailto') {
    throw new AcmeError('unsupportedContact', `the contact '${contact}' is not supported; mailto is`);
  }
  // RFC 8555 §7.3: no hfields, and at most one addr-spec in the `to` component.
  if (rest.includes('?')) throw invalid(`'${contact}'`, 'has header fields');
  if (rest.includes(',')) throw invalid(`'${contact}'`, 'has more than one address');
  try {
    checkEmailAddress(decodeURIComponent(rest));
  } catch {
    throw invalid(`'${contact}'`, 'is not a mail address');
  }
  return contact;
}

function invalid(contact: string, what: string): AcmeError {
  return new AcmeError('invalidContact', `the contact ${contact} ${what}`);
}
