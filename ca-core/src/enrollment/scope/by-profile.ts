/**
 * Entries of a scope that are for one profile: `profile:entry`. A profile that has DNS or IP entries of its own takes none of
 * the general ones. Without that, an RA whose names are validated could have each of them certified without, by the profile
 * for its own server certificate.
 */
import { profileNameForm } from '../../profiles/schema.ts';
import { badEntry } from './entry.ts';

/** Entries of one kind: those for all profiles, and those of single ones. */
export type EntriesByProfile = {
  readonly general: readonly string[];
  readonly own: ReadonlyMap<string, readonly string[]>;
};

/**
 * Tells them apart.
 *
 * @param isGeneral whether an entry is one as it stands, although there is a colon in it
 * @throws CoreError `malformed` for an entry of a profile that could not be called so
 */
export function entriesByProfile(entries: readonly string[], isGeneral: (entry: string) => boolean): EntriesByProfile {
  const general: string[] = [];
  const own = new Map<string, string[]>();
  for (const entry of entries) {
    const [, profile, rest] = isGeneral(entry) ? [] : (/^([a-z0-9-]+):(.+)$/.exec(entry) ?? []);
    if (profile === undefined || rest === undefined) {
      general.push(entry);
      continue;
    }
    if (!profileNameForm.test(profile)) throw badEntry(entry, 'does not begin with a profile');
    own.set(profile, [...(own.get(profile) ?? []), rest]);
  }
  return { general, own };
}
