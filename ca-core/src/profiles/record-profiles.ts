/** Which profiles the core starts with, compared with its last start: a change of policy is an audit event. */
import { createHash } from 'node:crypto';
import type { AuditAction } from '../audit/event.ts';
import { findMeta, writeMeta } from '../store/meta.ts';
import type { Store } from '../store/open-store.ts';
import type { Profile } from './profile.ts';

const metaKey = 'profiles';

/** Records what is new, changed or gone since the last start. Throws CoreError `unavailable`. */
export async function recordProfiles(
  store: Store,
  profiles: ReadonlyMap<string, Profile>,
  actor: string,
): Promise<void> {
  const before: Readonly<Record<string, string>> = JSON.parse(findMeta(store, metaKey) ?? '{}');
  const now = Object.fromEntries([...profiles.values()].map((profile) => [profile.name, digestOf(profile)]));
  const changes: { readonly action: AuditAction; readonly profile: string }[] = [];
  for (const [profile, digest] of Object.entries(now)) {
    if (before[profile] === undefined) changes.push({ action: 'profile-created', profile });
    else if (before[profile] !== digest) changes.push({ action: 'profile-changed', profile });
  }
  for (const profile of Object.keys(before)) {
    if (now[profile] === undefined) changes.push({ action: 'profile-disabled', profile });
  }
  if (changes.length === 0) return;
  await store.commit({
    operations: [writeMeta(metaKey, JSON.stringify(now))],
    events: changes.map(({ action, profile }) => ({
      action,
      actor,
      profile,
      outcome: 'success',
      body: { sha256: now[profile] },
    })),
  });
}

function digestOf(profile: Profile): string {
  return createHash('sha256').update(JSON.stringify(profile)).digest('hex');
}
