/**
 * Which extensions of a request reach the certificate: those that the profile copies, and no others.
 */
import type { Extension } from '@gatehouse/pkix/extensions';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Profile } from '../profiles/profile.ts';

/** Decided by the profile's own rules, whatever the request holds; a client that asks for them is not wrong. */
const decidedElsewhere: ReadonlySet<string> = new Set([
  extensionIds.subjectAlternativeName,
  extensionIds.keyUsage,
  extensionIds.extendedKeyUsage,
  extensionIds.basicConstraints,
  extensionIds.subjectKeyIdentifier,
]);

/** The extensions to copy. Throws CoreError `bad-csr` for one that the profile refuses. */
export function decideExtensions(profile: Profile, requested: readonly Extension[]): readonly Extension[] {
  const copied: Extension[] = [];
  for (const extension of requested) {
    if (profile.requestExtensions.copy.includes(extension.id)) copied.push(extension);
    else if (profile.requestExtensions.others === 'refuse' && !decidedElsewhere.has(extension.id)) {
      throw new CoreError('bad-csr', `profile ${profile.name} refuses extension ${extension.id} in a request`);
    }
  }
  return copied;
}
