/** What the keep counts and times. Labels hold only names that the keep itself knows. */
import type { Counter, Gauge, Histogram, Metrics } from '@gatehouse/runtime/metrics';
import type { AuditSeals } from './audit/seal.ts';
import type { Keep } from './keep.ts';
import { countOrphanIntents } from './store/intents.ts';
import { countPendingRequests } from './store/requests.ts';

export type KeepMetrics = {
  readonly requests: Counter<'rpc' | 'profile' | 'outcome'>;
  readonly requestDuration: Histogram<'rpc'>;
  readonly signingDuration: Histogram<'authority'>;
  readonly certificatesIssued: Counter<'profile'>;
  readonly validations: Counter<'profile' | 'verdict'>;
};

/** Registers the keep's metrics. */
export function createKeepMetrics(metrics: Metrics): KeepMetrics {
  return {
    requests: metrics.counter({
      name: 'core_requests_total',
      help: 'Calls answered, by RPC, profile and outcome (ok or the type of the error)',
      labels: ['rpc', 'profile', 'outcome'],
    }),
    requestDuration: metrics.histogram({
      name: 'core_request_duration_seconds',
      help: 'Time from the arrival of a call to its answer, by RPC',
      labels: ['rpc'],
    }),
    signingDuration: metrics.histogram({
      name: 'core_signing_duration_seconds',
      help: 'Time a signer took for one certificate, by authority',
      labels: ['authority'],
    }),
    certificatesIssued: metrics.counter({
      name: 'core_certificates_issued_total',
      help: 'Certificates issued and durable, by profile',
      labels: ['profile'],
    }),
    validations: metrics.counter({
      name: 'core_validations_total',
      help: 'Enrollments whose proof of control of names was verified, by profile and verdict (pass, fail, refused)',
      labels: ['profile', 'verdict'],
    }),
  };
}

/** Registers gauges that are read from the database and the seals at each scrape. */
export function measureState(
  metrics: Metrics,
  { store, clock }: Pick<Keep, 'store' | 'clock'>,
  seals: AuditSeals,
): readonly Gauge[] {
  return [
    metrics.gauge({
      name: 'core_audit_lag_records',
      help: 'Audit records that no seal covers yet',
      collect: (gauge) => gauge.set(seals.lag()),
    }),
    metrics.gauge({
      name: 'core_orphan_intents',
      help: 'Certificates that were about to be signed more than a minute ago and are not recorded',
      collect: (gauge) => gauge.set(countOrphanIntents(store, clock.now())),
    }),
    metrics.gauge({
      name: 'core_pending_enrollments',
      help: 'Enrollments that wait for a person',
      collect: (gauge) => gauge.set(countPendingRequests(store)),
    }),
  ];
}
