// What downloads, revocation and renewal information stand on together: chains, the word of the keep about a certificate,
// and incidents. Wiring only.

import type { CoreClient } from '@gatehouse/ra-client/client';
import type { Clock } from '@gatehouse/runtime/clock';
import type { StateStore } from '@gatehouse/runtime/database/state-store';
import { type Chains, openChains } from './chains.ts';
import { createIncidents, type Incidents } from './incident.ts';
import { createStanding, type Standing } from './standing.ts';

/** The parts. */
export type CertificateParts = {
  readonly chains: Chains;
  readonly standing: Standing;
  readonly incidents: Incidents;
  /** Renewal information as somebody dictates it, as it is: for test suites of clients alone. */
  readonly dictatedInformation: ((certId: string) => string | undefined) | undefined;
};

/** What {@link createCertificateParts} takes. */
export type CertificatePartsOptions = {
  readonly store: StateStore;
  readonly core: Pick<CoreClient, 'getCertificate'>;
  readonly clock: Clock;
  /** Absolute paths of `alternateChains`. */
  readonly alternateChains: readonly string[];
  /** The same of `defaultChain`. */
  readonly defaultChain?: string | undefined;
  /** See {@link CertificateParts.dictatedInformation}. */
  readonly dictatedInformation?: ((certId: string) => string | undefined) | undefined;
};

/** Makes them. @throws {FatalError} when an alternate chain cannot be read */
export function createCertificateParts({
  store,
  core,
  clock,
  alternateChains,
  defaultChain,
  dictatedInformation,
}: CertificatePartsOptions): CertificateParts {
  return {
    chains: openChains(alternateChains, defaultChain),
    standing: createStanding(core, clock),
    incidents: createIncidents(store),
    dictatedInformation,
  };
}
