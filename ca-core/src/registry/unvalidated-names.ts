/**
 * Ways past the validation of names: an RA whose names are validated by one profile, and that may have the same names
 * certified by another one that validates nothing, is believed in all of them (mpic.md §3). An operator may want that; none
 * should find it out from an attacker.
 */
import type { Keep } from '../keep.ts';
import type { RegistrationAuthority } from './registry.ts';

/** What an RA is judged by. */
type Rights = Pick<RegistrationAuthority, 'profiles'> & {
  readonly scope: Pick<RegistrationAuthority['scope'], 'boundProfiles'>;
};

/** Profiles by which an RA with validated names may have any of them certified without; none for other RAs. */
export function unvalidatedProfiles(
  { profiles: names, scope }: Rights,
  { profiles }: Pick<Keep, 'profiles'>,
): readonly string[] {
  const used = [...names].flatMap((name) => profiles.get(name) ?? []);
  if (!used.some(({ validation }) => validation?.mode === 'enforce')) return [];
  return used.flatMap(({ profile, validation }) => {
    const hasHosts = profile.names.allowed.some((kind) => kind === 'dns' || kind === 'ip');
    const isBound = scope.boundProfiles.has(profile.name);
    return hasHosts && !isBound && validation?.mode !== 'enforce' ? [profile.name] : [];
  });
}

/** One line in the log where there are some. */
export function warnOfUnvalidatedNames(
  keep: Pick<Keep, 'profiles' | 'log'>,
  ra: Rights & Pick<RegistrationAuthority, 'name'>,
): void {
  const profiles = unvalidatedProfiles(ra, keep);
  if (profiles.length === 0) return;
  keep.log.warn(
    { ra: ra.name, profiles },
    'an RA whose names are validated may have them certified without: bind names of its own to these profiles (--dns PROFILE:NAME)',
  );
}
