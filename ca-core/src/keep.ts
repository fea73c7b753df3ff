/**
 * What the domain functions of the keep stand on. It is made once by main.ts and passed to each of them; nothing in the
 * core is a global.
 */

import type { Certificate } from '@gatehouse/pkix/certificate';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import type { AuditVerification } from './audit/verify.ts';
import type { Authority } from './authorities/authority.ts';
import type { InFlight } from './enrollment/idempotency.ts';
import type { IssuingProfile } from './enrollment/issuing-profile.ts';
import type { EvidenceAnchors } from './evidence/anchors.ts';
import type { ValidationSettings } from './evidence/validation.ts';
import type { StatusFeed } from './jobs/status-feed.ts';
import type { KeepMetrics } from './metrics.ts';
import type { CredentialIssuer } from './registry/credential.ts';
import type { Registry } from './registry/registry.ts';
import type { Store } from './store/open-store.ts';
import type { Verifier } from './verification/verifier.ts';

/** This process among all that share a database. */
export type Instance = {
  readonly id: string;
  /** `spiffe://gatehouse.internal/core/<id>`: the actor of what the core does by itself. */
  readonly uri: string;
  /** Two octets in front of every serial number, so that instances cannot collide. */
  readonly serialNumberPrefix: Uint8Array;
};

/** What the domain functions stand on. */
export type Keep = {
  readonly instance: Instance;
  readonly root: Certificate;
  readonly issuing: Authority;
  readonly service: Authority;
  readonly profiles: ReadonlyMap<string, IssuingProfile>;
  readonly evidenceAnchors: EvidenceAnchors;
  /** How the control of names is verified, for all profiles. */
  readonly validation: ValidationSettings;
  readonly registry: Registry;
  readonly store: Store;
  readonly verifier: Verifier;
  /** Wakes the jobs that publish status; to be told after each commit that issued a certificate or changed a status. */
  readonly statusFeed: Pick<StatusFeed, 'wake'>;
  /** Enrollments that are being decided. */
  readonly inFlight: InFlight;
  /** Where this core is reached, `host:port`; goes into join tokens. */
  readonly addresses: readonly string[];
  /** Ends the open connections of the caller with this URI. */
  disconnect(uri: string): void;
  /** Walks the audit log. */
  verifyAudit(): Promise<AuditVerification>;
  /** Fingerprints (hexadecimal SHA-256 of the SubjectPublicKeyInfo) of the keep's own keys. */
  readonly ownKeys: ReadonlySet<string>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: KeepMetrics;
};

/** What makes credentials of the bridge. */
export function credentialIssuer(keep: Keep): CredentialIssuer {
  return { service: keep.service, instancePrefix: keep.instance.serialNumberPrefix, clock: keep.clock };
}
