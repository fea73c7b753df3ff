// The names of a CSR as the profile will let them into a certificate: attributes that the profile does not take from a
// request do not count, whether it drops or dictates them. It only looks; the CSR goes to the keep as it came.

import { isIP } from 'node:net';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import type { Name } from '@gatehouse/pkix/names';
import { attributeTypes } from '@gatehouse/pkix/object-identifiers';
import type { Profile } from '@gatehouse/ra-client/client';
import type { RequestedNames } from './name-policy.ts';

/** The names that the profile takes from a request. */
export function takenNames(profile: Profile, subject: Name, names: readonly GeneralName[]): RequestedNames {
  const taken = new Set(profile.subject.filter(({ value }) => value === '').map(({ type }) => type));
  return {
    subject: subject.map((rdn) => rdn.filter(({ type }) => taken.has(type))).filter((rdn) => rdn.length > 0),
    names,
  };
}

/**
 * The names by which a request is judged: {@link takenNames}, and the host that the common name will become where a profile
 * demands an alternative name and none is asked for. Who may call itself anything must not get any host that way.
 */
export function judgedNames(profile: Profile, subject: Name, names: readonly GeneralName[]): RequestedNames {
  const taken = takenNames(profile, subject, names);
  const demandsName = profile.needsAnyName || profile.requiredNames.length > 0;
  // Also a common name that does not get into the subject becomes a host.
  return demandsName ? { ...taken, names: withCommonName({ subject, names }) } : taken;
}

/** The alternative names, or the host that the common name is where none were asked for: some profiles make it one. */
export function withCommonName({ subject, names }: RequestedNames): readonly GeneralName[] {
  if (names.length > 0) return names;
  const commonNames = subject.flat().filter(({ type }) => type === attributeTypes.CN);
  return commonNames.map(({ value }) => ({ kind: isIP(value) > 0 ? 'ip' : 'dns', value: value.toLowerCase() }));
}
