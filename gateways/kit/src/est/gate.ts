// What the operations of EST stand on, over HTTPS and over CoAP alike. A gate makes it once in its main.ts and passes it
// to each of them; nothing is a global.

import type { CoreClient } from '@gatehouse/ra-client/client';
import type { Clock } from '@gatehouse/runtime/clock';
import type { CaCertificates } from './ca-certificates.ts';
import type { HeldKeys } from './held-keys.ts';
import type { KeyEncryptionKeys } from './key-encryption-keys.ts';
import type { Profiles } from './profiles.ts';
import type { SigningIdentity } from './signing-identity.ts';

/** For how long the same request gets the same answer, milliseconds. */
export type RetryWindows = {
  /** After an issue. */
  readonly retryWindow: number;
  /** The same for profiles that need approval: how long an approved certificate waits to be collected. */
  readonly collectWindow: number;
};

/** A gate, as the operations of EST see it. */
export type EnrollmentGate = {
  /** First part of idempotency keys: what one gate enrolled is never the answer of another. */
  readonly protocol: 'est' | 'coap';
  readonly windows: RetryWindows;
  readonly core: CoreClient;
  readonly clock: Clock;
  readonly profiles: Profiles;
  readonly caCertificates: CaCertificates;
  readonly heldKeys: HeldKeys;
  readonly keyEncryptionKeys: KeyEncryptionKeys;
  /** The key that signs what this gate makes, as it is now. */
  readonly signingIdentity: () => SigningIdentity;
};
