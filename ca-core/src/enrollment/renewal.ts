/**
 * What a renewal may be: a certificate continued under the names that it has. That it is this CA's and still stands is
 * established before (renewed-certificate.ts).
 */
import { type Certificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { areGeneralNameSetsEqual, type GeneralName } from '@gatehouse/pkix/general-names';
import { areNamesEqual, type Name } from '@gatehouse/pkix/names';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Profile } from '../profiles/profile.ts';

/** Names that the renewed certificate would have. */
export type RenewalNames = { readonly subject: Name; readonly names: readonly GeneralName[] };

/**
 * Judges the names of a renewal.
 *
 * @param old the certificate being renewed
 * @param changesNames whether the RA says that the client was allowed to change its names (RFC 6402 §2.8)
 * @throws {CoreError} `rejected-name` when the names differ from those of the old certificate, `profile-refuses` when the
 *   client may change them but the profile keeps them as they are
 */
export function checkRenewal(
  profile: Profile,
  old: { readonly certificate: Certificate },
  names: RenewalNames,
  changesNames: boolean,
): void {
  const difference = findDifference(old.certificate, names);
  if (difference === undefined) return;
  if (!changesNames) {
    throw new CoreError('rejected-name', `${difference} is not the one of the certificate to be renewed`);
  }
  if (!profile.renewal.allowsNameChange) {
    throw new CoreError('profile-refuses', `profile ${profile.name} does not allow a renewal to change names`);
  }
}

/** RFC 7030 §4.2.2: subject and subjectAltName are identical; RFC 5280 §7.1 says when names are. */
function findDifference(certificate: Certificate, { subject, names }: RenewalNames): string | undefined {
  if (!areNamesEqual(certificate.subject, subject)) return 'the subject';
  return areGeneralNameSetsEqual(subjectAlternativeNames(certificate), names)
    ? undefined
    : 'the subject alternative name';
}
