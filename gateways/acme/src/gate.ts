// What the operations of this gate stand on. It is made once by main.ts and passed to each of them; nothing is a global.

import type { CoreClient } from '@gatehouse/ra-client/client';
import type { Clock } from '@gatehouse/runtime/clock';
import type { StateStore } from '@gatehouse/runtime/database/state-store';
import type { Logger } from '@gatehouse/runtime/log';
import type { Metrics } from '@gatehouse/runtime/metrics';
import type { AccountKeys } from './account-keys.ts';
import type { CertificateParts } from './certificate-parts.ts';
import type { AcmeConfiguration } from './config.ts';
import type { Nonces } from './nonce.ts';
import type { Validation } from './perspectives/validation.ts';
import type { AcmeProfiles } from './profiles.ts';
import type { RateLimits } from './rate-limits.ts';
import type { AcmeUrls } from './urls.ts';

/** Work that goes on after the answer. Both only wake a worker: the work itself is found in the state. */
export type Jobs = {
  /** A challenge was accepted. */
  wakeValidation(authorizationId: string, accountId: string): void;
  /** An order became `processing`. */
  wakeIssuance(orderId: string, accountId: string): void;
};

/** The gate, as its operations see it. */
export type AcmeGate = {
  readonly configuration: AcmeConfiguration;
  readonly urls: AcmeUrls;
  readonly store: StateStore;
  readonly core: CoreClient;
  /** Name of this RA, from its credential. */
  readonly registrationAuthority: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly nonces: Nonces;
  readonly accountKeys: AccountKeys;
  readonly profiles: AcmeProfiles;
  readonly certificates: CertificateParts;
  readonly rates: RateLimits;
  readonly validation: Validation;
  readonly jobs: Jobs;
  /** Names this copy of the gate in leases of work; another one after each start (`newUnguessableId`). */
  readonly worker: string;
};
