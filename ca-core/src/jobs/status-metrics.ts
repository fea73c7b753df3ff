/** What is counted and measured of published status. Labels hold names of CRLs, of which the keep makes a bounded number. */
import type { Clock } from '@gatehouse/runtime/clock';
import type { Counter, Histogram, Metrics } from '@gatehouse/runtime/metrics';
import { crlName } from './crl-files.ts';
import type { PublishedCrl } from './crl-publisher.ts';

/** Metrics of published status that are told. */
export type StatusMetrics = {
  readonly responsesSigned: Counter<'kind'>;
  readonly threadRestarts: Counter;
  readonly crlDuration: Histogram<'kind'>;
};

/** What the others are read from at each scrape. */
export type StatusMeasures = {
  readonly clock: Clock;
  crls(): readonly PublishedCrl[];
  /** When the response that is to be signed again first was signed, epoch milliseconds. */
  oldestThisUpdate(): number | undefined;
};

/** Registers them. */
export function createStatusMetrics(metrics: Metrics, measures: StatusMeasures): StatusMetrics {
  metrics.gauge({
    name: 'core_ocsp_oldest_response_age_seconds',
    help: 'Age of the pre-signed OCSP response that is to be signed again first',
    collect: (gauge) => {
      const oldest = measures.oldestThisUpdate();
      gauge.set(oldest === undefined ? 0 : (measures.clock.now().getTime() - oldest) / 1000);
    },
  });
  metrics.gauge({
    name: 'core_crl_next_update_timestamp_seconds',
    help: 'nextUpdate of each published CRL, Unix time',
    labels: ['scope'],
    collect: (gauge) => {
      gauge.reset();
      for (const { plan, crl } of measures.crls()) {
        gauge.set({ scope: crlName(plan.scope, plan.isDelta) }, crl.nextUpdate / 1000);
      }
    },
  });
  metrics.gauge({
    name: 'core_crl_entries',
    help: 'Revoked certificates on each published CRL',
    labels: ['scope'],
    collect: (gauge) => {
      gauge.reset();
      for (const { plan, crl } of measures.crls()) {
        gauge.set({ scope: crlName(plan.scope, plan.isDelta) }, crl.entries);
      }
    },
  });
  return {
    responsesSigned: metrics.counter({
      name: 'core_ocsp_responses_signed_total',
      help: 'Certificates for which OCSP responses were signed: in advance, or on request',
      labels: ['kind'],
    }),
    threadRestarts: metrics.counter({
      name: 'core_status_thread_restarts_total',
      help: 'Times that the thread which signs OCSP responses and encodes CRLs ended and was started again',
    }),
    crlDuration: metrics.histogram({
      name: 'core_crl_duration_seconds',
      help: 'Time from the decision to make a CRL to its publication, by kind',
      labels: ['kind'],
    }),
  };
}
