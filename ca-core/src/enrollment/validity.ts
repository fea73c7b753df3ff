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
  /** What must be granted exactly or not at all (RFC 8555 §7.4); absent where the profile decides. */
  readonly exact?: { readonly notBefore: Date | undefined; readonly notAfter: Date | undefined } | undefined;
  /** The most that this RA may have; undefined leaves it to the profile. */
  readonly registrationAuthorityMaximumMs: number | undefined;
  /** notBefore and notAfter of the issuing CA. */
  readonly issuer: Validity;
};

const secondMs = 1000;

/** BR §7.1.2.7: notBefore lies within 48 hours of the signature. */
const farthestBeginningMs = 48 * 3600 * secondMs;

/**
 * Decides the validity of a certificate issued at `now`. Throws CoreError `unavailable` when the issuer has ended,
 * `profile-refuses` when what was wanted cannot be.
 */
export function decideValidity(limits: ValidityLimits, now: Date): Validity {
  const { profile, issuer, exact } = limits;
  // RFC 5280 §4.1.2.5: times have whole seconds, and notAfter belongs to the period.
  const start = wholeSeconds(now.getTime() - profile.validity.backdateMs);
  const notBefore = exactBeginning(limits, now) ?? Math.max(start, issuer.notBefore.getTime());

  const wantedMs = profile.validity.isFixed ? undefined : limits.wantedMs;
  const grantedMs = wantedMs ?? profile.validity.defaultMs;
  // BR §6.3.2 counts the whole period, both ends and the backdating included; so does every maximum here.
  const maximumMs = Math.min(profile.validity.maximumMs, limits.registrationAuthorityMaximumMs ?? Infinity);
  const latest = Math.min(wholeSeconds(notBefore + maximumMs) - secondMs, issuer.notAfter.getTime());
  const notAfter =
    exact?.notAfter === undefined
      ? Math.min(wholeSeconds(now.getTime() + grantedMs) - secondMs, latest)
      : exactEnd(profile, exact.notAfter.getTime(), latest);
  if (notAfter <= now.getTime() || notAfter <= notBefore) {
    if (issuer.notAfter.getTime() <= now.getTime()) throw new CoreError('unavailable', 'the issuing CA has expired');
    throw new CoreError('profile-refuses', 'the validity that was wanted, or that the RA may have, is too short');
  }
  return { notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
}

function exactBeginning({ issuer, exact }: ValidityLimits, now: Date): number | undefined {
  const wanted = exact?.notBefore?.getTime();
  if (wanted === undefined) return undefined;
  const earliest = Math.max(now.getTime() - farthestBeginningMs, issuer.notBefore.getTime());
  const latest = now.getTime() + farthestBeginningMs;
  if (wholeSeconds(wanted) === wanted && wanted >= earliest && wanted <= latest) return wanted;
  throw new CoreError('profile-refuses', `notBefore must be a whole second ${between(earliest, latest)}`);
}

function exactEnd(profile: Profile, wanted: number, latest: number): number {
  if (profile.validity.isFixed) {
    throw new CoreError('profile-refuses', `profile ${profile.name} fixes how long certificates live`);
  }
  if (wholeSeconds(wanted) === wanted && wanted <= latest) return wanted;
  throw new CoreError('profile-refuses', `notAfter must be a whole second until ${new Date(latest).toISOString()}`);
}

function between(earliest: number, latest: number): string {
  return `between ${new Date(earliest).toISOString()} and ${new Date(latest).toISOString()}`;
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / secondMs) * secondMs;
}
