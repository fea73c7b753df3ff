/** Whether the core can do its work: write, sign, seal, and go on doing so for a while. */
import { freeBytes } from '@gatehouse/runtime/database/disk-space';
import type { ReadinessCheck, ReadinessProblem } from '@gatehouse/runtime/management';
import type { AuditSeals } from './audit/seal.ts';
import type { StatusPublication } from './jobs/status-publication.ts';
import type { Keep } from './keep.ts';

/** What readiness looks at. */
export type ReadinessOptions = {
  readonly keep: Keep;
  readonly seals: AuditSeals;
  readonly status: Pick<StatusPublication, 'problems'>;
  readonly directory: string;
  /** Free space below which the core is not ready. */
  readonly reserveMegabytes: number;
};

/** How old a signer's last successful self-test may be. */
const selfTestIntervalMs = 60_000;

/** The check behind /readyz. */
export function coreReadiness(options: ReadinessOptions): ReadinessCheck {
  const { keep, seals, status, directory, reserveMegabytes } = options;
  const testedAt = new Map<string, number>();

  return async () => {
    const problems: ReadinessProblem[] = [];
    const failure = await keep.store.probe();
    if (failure !== undefined) problems.push({ check: 'database', detail: failure.detail });
    const free = await freeBytes(directory);
    if (free < reserveMegabytes * 1024 * 1024) {
      const megabytes = Math.floor(free / 1024 / 1024);
      problems.push({
        check: 'disk-space',
        detail: `${megabytes} MB left, ${reserveMegabytes} MB are to be kept free`,
      });
    }
    for (const { name, signer } of [keep.issuing, keep.service]) {
      const now = keep.clock.now().getTime();
      if (now - (testedAt.get(name) ?? 0) < selfTestIntervalMs) continue;
      try {
        await signer.selfTest();
        testedAt.set(name, now);
      } catch (error) {
        keep.log.error({ err: error, authority: name }, 'a signer failed its self-test');
        problems.push({ check: 'signer', detail: `the key of the ${name} CA does not sign` });
      }
    }
    const sealProblem = seals.problem();
    if (sealProblem !== undefined) problems.push({ check: 'audit', detail: sealProblem });
    if (keep.issuing.certificate.notAfter <= keep.clock.now()) {
      problems.push({ check: 'authority', detail: 'the issuing CA has expired' });
    }
    problems.push(...status.problems());
    return problems;
  };
}
