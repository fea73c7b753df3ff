// What the operations of this gate stand on. It is made once by main.ts and passed to each of them; nothing is a global.

import type { GateRateLimits } from '@gatehouse/gateway-kit/rate-limit';
import type { CoreClient } from '@gatehouse/ra-client/client';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Authentication } from './authenticate.ts';
import type { CaCertificates } from './ca-certificates.ts';
import type { SharedSecretJudge } from './cmc/shared-secret-judge.ts';
import type { EstConfiguration, Labels } from './config.ts';
import type { HeldKeys } from './held-keys.ts';
import type { KeyEncryptionKeys } from './key-encryption-keys.ts';
import type { Profiles } from './profiles.ts';
import type { SigningIdentity } from './signing-identity.ts';
import type { SpentUses } from './spent-uses.ts';

/** The gate, as its operations see it. */
export type EstGate = {
  readonly configuration: EstConfiguration;
  readonly labels: Labels;
  readonly core: CoreClient;
  readonly clock: Clock;
  readonly authentication: Authentication;
  readonly caCertificates: CaCertificates;
  readonly profiles: Profiles;
  readonly spentUses: SpentUses;
  readonly heldKeys: HeldKeys;
  readonly keyEncryptionKeys: KeyEncryptionKeys;
  /** The key that signs what this gate makes, as it is now. */
  readonly signingIdentity: () => SigningIdentity;
  readonly sharedSecrets: SharedSecretJudge;
  readonly limits: GateRateLimits;
};
