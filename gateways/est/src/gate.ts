// What the operations of this gate stand on. It is made once by main.ts and passed to each of them; nothing is a global.

import type { EnrollmentGate } from '@gatehouse/gateway-kit/est/gate';
import type { Labels } from '@gatehouse/gateway-kit/est/labels';
import type { GateRateLimits } from '@gatehouse/gateway-kit/rate-limit';
import type { Authentication } from './authenticate.ts';
import type { SharedSecretJudge } from './cmc/shared-secret-judge.ts';
import type { EstConfiguration } from './config.ts';

/** The gate, as its operations see it. */
export type EstGate = EnrollmentGate & {
  readonly configuration: EstConfiguration;
  readonly labels: Labels;
  readonly authentication: Authentication;
  readonly sharedSecrets: SharedSecretJudge;
  readonly limits: GateRateLimits;
};
