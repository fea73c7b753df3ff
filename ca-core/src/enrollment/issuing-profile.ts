/**
 * A profile bound to the authority that signs for it, with everything that is the same in each of its certificates
 * encoded once. Binding happens at start, so that a profile that could not issue stops the core, not a client.
 */

import type { Profile as ProfileMessage } from '@gatehouse/proto/certificate-authority';
import { formatDuration } from '@gatehouse/runtime/duration';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { Authority } from '../authorities/authority.ts';
import { createAuthorityTemplate } from '../authorities/authority-template.ts';
import { describeProfile } from '../profiles/describe-profile.ts';
import type { Profile } from '../profiles/profile.ts';
import type { CertificateTemplate } from '../x509/certificate-template.ts';

export type IssuingProfile = {
  readonly profile: Profile;
  readonly authority: Authority;
  readonly template: CertificateTemplate;
  /** What a gate may know of it. */
  readonly message: ProfileMessage;
};

/** Binds every profile. Throws FatalError for one that its authority could not issue. */
export function bindProfiles(
  profiles: ReadonlyMap<string, Profile>,
  authorities: { readonly issuing: Authority; readonly service: Authority },
  now: Date,
): ReadonlyMap<string, IssuingProfile> {
  return new Map(
    [...profiles].map(([name, profile]) => [name, bindProfile(profile, authorities[profile.authority], now)]),
  );
}

function bindProfile(profile: Profile, authority: Authority, now: Date): IssuingProfile {
  const { certificate } = authority;
  const remainingMs = certificate.notAfter.getTime() - now.getTime();
  if (profile.validity.defaultMs > remainingMs) {
    throw new FatalError(
      `profile ${profile.name} wants ${formatDuration(profile.validity.defaultMs)}, longer than its issuer will live`,
      {
        hint: `shorten validity.default, or renew the ${authority.name} CA (ends ${certificate.notAfter.toISOString()})`,
      },
    );
  }
  return {
    profile,
    authority,
    template: templateFor(authority, profile),
    message: describeProfile(profile),
  };
}

function templateFor(authority: Authority, profile: Profile): CertificateTemplate {
  try {
    return createAuthorityTemplate(authority, profile);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new FatalError(`profile ${profile.name} contradicts itself or its issuer: ${cause.message}`, {
      hint: 'correct the profile; gatehouse profile validate FILE checks it',
      cause,
    });
  }
}
