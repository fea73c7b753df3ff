/**
 * Which profile an enrollment uses, and whether this RA, this requester and this form of request may use it.
 */
import type { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Keep } from '../keep.ts';
import type { RegistrationAuthority } from '../registry/registry.ts';
import type { IssuingProfile } from './issuing-profile.ts';
import { readRequester } from './requester.ts';

/** Picks the profile. Throws CoreError `profile-unknown`, `out-of-scope` or `profile-refuses`. */
export function pickProfile(
  keep: Keep,
  registrationAuthority: RegistrationAuthority,
  request: EnrollRequest,
): IssuingProfile {
  const issuingProfile = keep.profiles.get(request.profile);
  // An RA learns nothing about profiles that are not its own: unknown and foreign ones differ only in the log.
  if (!registrationAuthority.profiles.has(request.profile)) {
    if (issuingProfile === undefined) throw unknownProfile(request.profile);
    throw new CoreError('out-of-scope', `RA ${registrationAuthority.name} may not use profile ${request.profile}`);
  }
  if (issuingProfile === undefined) throw unknownProfile(request.profile);
  const { profile } = issuingProfile;
  // Credentials of the bridge are bought with a join token or renewed; an RA that could enroll one would name itself.
  if (profile.authority === 'service') {
    throw new CoreError('out-of-scope', `profile ${profile.name} cannot be enrolled`);
  }

  const kind = readRequester(request.requester).kindName;
  if (profile.requesters !== 'any' && !profile.requesters.includes(kind)) {
    throw new CoreError('profile-refuses', `profile ${profile.name} is not for requesters of kind ${kind}`);
  }
  if (request.subjectKey?.$case === 'publicKey' && !profile.acceptsStatedPossession) {
    throw new CoreError('profile-refuses', `profile ${profile.name} wants a request that is signed by its key`);
  }
  return issuingProfile;
}

function unknownProfile(name: string): CoreError {
  return new CoreError('profile-unknown', `there is no profile ${JSON.stringify(name.slice(0, 64))}`);
}
