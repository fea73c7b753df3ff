// What is measured: how many checks, of which kind and with what result, and how long they took. What was looked at is for
// the log alone.

import type { Metrics } from '@gatehouse/runtime/metrics';
import type { Finding } from './finding.ts';

/** Measures checks. */
export type CheckMetrics = {
  /** One check has ended. */
  checked(finding: Pick<Finding, 'check' | 'method' | 'result'>, seconds: number): void;
};

/** Registers the metrics; without a registry nothing is measured. */
export function createCheckMetrics(metrics: Metrics | undefined): CheckMetrics {
  if (metrics === undefined) return { checked: () => undefined };
  const checks = metrics.counter({
    name: 'perspective_checks_total',
    help: 'Statements by kind of check, validation method and result.',
    labels: ['check', 'method', 'result'],
  });
  const durations = metrics.histogram({
    name: 'perspective_check_duration_seconds',
    help: 'Time from the question to the statement.',
    labels: ['check', 'method'],
  });
  return {
    checked: ({ check, method, result }, seconds) => {
      checks.inc({ check, method, result });
      durations.observe({ check, method }, seconds);
    },
  };
}
