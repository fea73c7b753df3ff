// A keep without a listener, for what cannot be arranged from outside: a signer that is slow, fails or lies.
import { readCertificate } from '@gatehouse/pkix/certificate';
import { createManualClock, type ManualClock } from '@gatehouse/runtime/clock';
import { createLog } from '@gatehouse/runtime/log';
import { createMetrics } from '@gatehouse/runtime/metrics';
import type { z } from 'zod';
import { createAuditChain } from '../../src/audit/chain.ts';
import { generateHierarchy } from '../../src/authorities/generate-hierarchy.ts';
import { ownKeyFingerprints } from '../../src/enrollment/forbidden-keys.ts';
import { bindProfiles } from '../../src/enrollment/issuing-profile.ts';
import type { EnrollmentContext } from '../../src/enrollment/pipeline.ts';
import { createValidationSettings } from '../../src/evidence/validation.ts';
import { validationConfigurationSchema } from '../../src/evidence/validation-configuration.ts';
import type { Keep } from '../../src/keep.ts';
import type { Signer } from '../../src/keys/signer.ts';
import { createSoftwareSigner } from '../../src/keys/software-signer.ts';
import { createKeepMetrics } from '../../src/metrics.ts';
import { loadProfiles } from '../../src/profiles/load-profiles.ts';
import type { Profile } from '../../src/profiles/profile.ts';
import { callerUri, coreUri } from '../../src/registry/caller.ts';
import { createRegistry } from '../../src/registry/registry.ts';
import { openStore } from '../../src/store/open-store.ts';
import { startVerifier } from '../../src/verification/verifier.ts';

/** A keep whose clock stands still and whose one RA is called `gate` and may ask for anything. */
export type TestKeep = { readonly keep: Keep; readonly clock: ManualClock; close(): Promise<void> };

/** What a test keep has besides. */
export type TestKeepOptions = {
  /** `core.validation`, as it is written. */
  readonly validation?: z.input<typeof validationConfigurationSchema>;
  /** Beside the built-in ones. */
  readonly profiles?: readonly Profile[];
};

/** Makes a keep in memory. @param wrap makes the signer of the issuing CA out of the software signer */
export async function openTestKeep(wrap: (signer: Signer) => Signer, options: TestKeepOptions = {}): Promise<TestKeep> {
  const clock = createManualClock(new Date('2026-06-01T12:00:00Z'));
  const log = createLog({ name: 'test', level: 'silent' });
  const { keys, certificates } = generateHierarchy({ organization: 'Example', now: clock.now() });
  const root = readCertificate(certificates.root);
  const issuing = {
    name: 'issuing' as const,
    certificate: readCertificate(certificates.issuing),
    chain: [certificates.issuing, certificates.root],
    signer: wrap(createSoftwareSigner(keys.issuing)),
  };
  const service = {
    name: 'service' as const,
    certificate: readCertificate(certificates.service),
    chain: [certificates.service],
    signer: createSoftwareSigner(keys.service),
  };
  const authorities = { root, issuing, service, auditKey: keys.audit };
  const store = await openStore({ file: ':memory:', audit: createAuditChain({ key: keys.audit }), clock, log });
  const registry = createRegistry(store, clock);
  const profiles = new Map([...loadProfiles(), ...(options.profiles ?? []).map((each) => [each.name, each] as const)]);
  const validation = createValidationSettings(validationConfigurationSchema.parse(options.validation ?? {}));
  const everything = {
    dnsSuffixes: ['*'],
    ipRanges: ['*'],
    uriPrefixes: [],
    emailDomains: [],
    subjectAttributes: ['*'],
  };
  await registry.addRegistrationAuthority(
    {
      name: 'gate',
      profiles: [...profiles.keys()],
      scope: everything,
      maximumValidityMs: undefined,
      ratePerSecond: 0,
      createdAt: clock.now(),
    },
    callerUri('operator', 'admin'),
  );
  const verifier = startVerifier([issuing.certificate, service.certificate], () => undefined);
  const keep: Keep = {
    instance: { ...store.instance, uri: coreUri(store.instance.id) },
    root,
    issuing,
    service,
    profiles: bindProfiles(profiles, authorities, clock.now(), undefined, validation),
    evidenceAnchors: { common: [], ofExpired: [], byFile: new Map() },
    validation,
    registry,
    store,
    verifier,
    statusFeed: { wake: () => undefined },
    inFlight: new Map(),
    addresses: [],
    disconnect: () => undefined,
    verifyAudit: () => Promise.reject(new Error('there are no seals')),
    ownKeys: ownKeyFingerprints(authorities),
    clock,
    log,
    metrics: createKeepMetrics(createMetrics()),
  };
  const close = async () => {
    await verifier.close();
    await store.close();
  };
  return { keep, clock, close };
}

/** A call of the RA of {@link openTestKeep}. */
export function contextOf({ log }: Keep): EnrollmentContext {
  const caller = { kind: 'gate', name: 'gate', uri: callerUri('gate', 'gate'), serialNumber: '01' } as const;
  return { caller, requestId: 'test', log };
}
