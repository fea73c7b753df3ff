// What the keep says of a profile, for csrattrs and for judging names as the keep will shape them. Kept for a minute;
// the last known one serves while the keep is away, since it only tells clients what to ask for.

import type { CoreClient, Profile } from '@gatehouse/ra-client/client';
import type { Clock } from '@gatehouse/runtime/clock';

/** Gives profiles as they are now. */
export type Profiles = {
  /** @throws {CoreError} when the keep refuses, or cannot be asked and never could */
  get(name: string): Promise<Profile>;
};

type Entry = { readonly profile: Profile; readonly at: number };

const freshMs = 60_000;

/** Makes the cache. It holds one entry for each profile that a label names. */
export function createProfiles(core: Pick<CoreClient, 'getProfile'>, clock: Clock): Profiles {
  const entries = new Map<string, Entry>();
  const asking = new Map<string, Promise<Profile>>();
  const ask = async (name: string): Promise<Profile> => {
    try {
      const profile = await core.getProfile(name);
      entries.set(name, { profile, at: clock.now().getTime() });
      return profile;
    } finally {
      asking.delete(name);
    }
  };
  return {
    get: async (name) => {
      const known = entries.get(name);
      const now = clock.now().getTime();
      if (known !== undefined && Math.abs(now - known.at) < freshMs) return known.profile;
      const pending = asking.get(name) ?? ask(name);
      asking.set(name, pending);
      if (known === undefined) return await pending;
      // Half a period until the next try: a keep that is away is not asked by every request.
      pending.catch(() => entries.set(name, { profile: known.profile, at: now - freshMs / 2 }));
      return known.profile;
    },
  };
}
