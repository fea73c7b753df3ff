// Asks the keep at the start for what the gate serves from memory, so that the first minutes of a keep that is away cost
// clients nothing, and an operator hears at once of a label whose profile the keep does not have.

import { CoreError } from '@gatehouse/ra-client/core-error';
import type { Logger } from '@gatehouse/runtime/log';
import type { CaCertificates } from './ca-certificates.ts';
import type { Labels } from './labels.ts';
import type { Profiles } from './profiles.ts';

/** What {@link warmUp} fills. */
export type WarmUpOptions = {
  readonly caCertificates: CaCertificates;
  readonly profiles: Profiles;
  readonly labels: Labels;
};

/** Fills the caches. Never fails: what cannot be had now is asked for again when a client wants it. */
export async function warmUp({ caCertificates, profiles, labels }: WarmUpOptions, log: Logger): Promise<void> {
  const bundle = caCertificates.current().catch((error: unknown) => {
    log.warn({ err: error }, 'the CA certificates are not known yet');
  });
  const known = labels.all.map(({ name, profile }) =>
    profiles.get(profile).catch((error: unknown) => {
      const isMistake = error instanceof CoreError && error.code !== 'unavailable';
      const fields = { err: error, label: name, profile };
      if (isMistake) log.error(fields, 'a label cannot be served: the keep refuses its profile to this gate');
      else log.warn(fields, 'the profile of a label is not known yet');
    }),
  );
  await Promise.all([bundle, ...known]);
}
