// What the gate knows of profiles before the keep was reached for the first time: nothing, which is another thing than
// that a profile was withdrawn.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { createProfiles } from '../src/profiles.ts';
import { createTestLog } from './support/log.ts';

it('acme.md §4: an order whose profile is not known yet waits for the keep, and is not refused', async () => {
  let isThere = false;
  const profiles = createProfiles({
    configuration: { profiles: {}, defaultProfile: 'tlsserver', blockedNames: [] },
    core: {
      listProfiles: async () => {
        if (!isThere) throw new CoreError('unavailable', 'no CA core can be reached');
        return [];
      },
    },
    log: createTestLog().log,
  });
  profiles.close();
  await profiles.refresh();
  const isUnavailable = (error: unknown) => error instanceof CoreError && error.code === 'unavailable';
  assert.throws(() => profiles.find('tlsserver'), isUnavailable);

  isThere = true;
  await profiles.refresh();
  await profiles.known;
  assert.equal(profiles.find('tlsserver'), undefined);
});
