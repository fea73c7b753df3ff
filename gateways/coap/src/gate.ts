// What the resources of this gate stand on. It is made once by main.ts and passed to each of them; nothing is a global.

import type { CertificateRights } from '@gatehouse/gateway-kit/est/certificate-rights';
import type { CertificateJudge } from '@gatehouse/gateway-kit/est/client-certificate';
import type { EnrollmentGate } from '@gatehouse/gateway-kit/est/gate';
import type { Labels } from '@gatehouse/gateway-kit/est/labels';
import type { CleanUps } from './clean-ups.ts';
import type { CoapConfiguration } from './config.ts';
import type { RequestLimits } from './request-limits.ts';

/** The gate, as its resources see it. */
export type CoapGate = EnrollmentGate & {
  readonly configuration: CoapConfiguration;
  readonly labels: Labels;
  readonly certificates: CertificateJudge;
  readonly certificateRights: CertificateRights;
  readonly limits: RequestLimits;
  readonly cleanUps: CleanUps;
};
