// What is measured about calls to the keep: how many, how they ended, how long they took with their repetitions.
// Labels are the contract's own words only: the procedure and the type of the error.

import type { Metrics } from '@gatehouse/runtime/metrics';

/** Measures calls. */
export type CallMetrics = {
  /** A call begins. @returns the function to call with its outcome: `success` or the type of the error */
  begin(path: string): (outcome: string) => void;
};

/** Registers the metrics of a client. */
export function createCallMetrics(metrics: Metrics): CallMetrics {
  const calls = metrics.counter({
    name: 'core_calls_total',
    help: 'Calls to the CA core by procedure and outcome.',
    labels: ['procedure', 'outcome'],
  });
  const durations = metrics.histogram({
    name: 'core_call_duration_seconds',
    help: 'Time from asking the CA core to its answer, repetitions included.',
    labels: ['procedure'],
  });
  // Looking a label up costs as much as counting: what is needed for each procedure is found once.
  const procedures = new Map<string, (startedAt: number, outcome: string) => void>();
  const register = (path: string): ((startedAt: number, outcome: string) => void) => {
    const procedure = path.slice(path.lastIndexOf('/') + 1);
    const duration = durations.labels(procedure);
    const success = calls.labels(procedure, 'success');
    const observe = (startedAt: number, outcome: string): void => {
      if (outcome === 'success') success.inc();
      else calls.labels(procedure, outcome).inc();
      duration.observe((performance.now() - startedAt) / 1000);
    };
    procedures.set(path, observe);
    return observe;
  };
  return {
    begin: (path) => {
      const observe = procedures.get(path) ?? register(path);
      const startedAt = performance.now();
      return (outcome) => observe(startedAt, outcome);
    },
  };
}
