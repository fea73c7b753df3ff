/**
 * When a certificate begins and ends. The shortest of what was asked, what the RA may have, what the profile allows and
 * what is left of the issuer decides; nothing ever lengthens it.
 */
import { CoreError } from '@gatehouse/proto/core-error';
import type { Profile } from '../profiles/profile.ts';

export type Validity = { readonly notBefore: Date; readonly notAfter: Date };

export type ValidityLimits = {
  readonly profile: Profile;
  /** What the RA asked for; undefined takes the profile's default. */
  readonly wantedMs: number | undefined;
  /** The most that this RA may have; undefined leaves it to the profile. */
  readonly registrationAuthorityMaximumMs: number | undefined;
  /** notBefore and notAfter of the issuing CA. */
  readonly issuer: Validity;
};

const secondMs = 1000;

/** Decides the validity of a certificate issued at `now`. Throws CoreError `unavailable` when the issuer has ended. */
export function decideValidity(limits: ValidityLimits, now: Date): Validity {
  const { profile, issuer } = limits;
  // RFC 5280 §4.1.2.5: times have whole seconds, and notAfter belongs to the period.
  const start = wholeSeconds(now.getTime() - profile.validity.backdateMs);
  const notBefore = Math.max(start, issuer.notBefore.getTime());

  const wantedMs = profile.validity.isFixed ? undefined : limits.wantedMs;
  const grantedMs = wantedMs ?? profile.validity.defaultMs;
  // BR §6.3.2 counts the whole period, both ends and the backdating included; so does every maximum here.
  const maximumMs = Math.min(profile.validity.maximumMs, limits.registrationAuthorityMaximumMs ?? Infinity);
  const notAfter = Math.min(
    wholeSeconds(now.getTime() + grantedMs) - secondMs,
    wholeSeconds(notBefore + maximumMs) - secondMs,
    issuer.notAfter.getTime(),
  );
  if (notAfter <= now.getTime()) {
    if (issuer.notAfter.getTime() <= now.getTime()) throw new CoreError('unavailable', 'the issuing CA has expired');
    throw new CoreError('profile-refuses', 'the validity that was wanted, or that the RA may have, is too short');
  }
  return { notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / secondMs) * secondMs;
}
