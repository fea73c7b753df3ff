// Counters, gauges and histograms in Prometheus's text format, each process with a registry of its own. Labels must
// never take a value that a client chooses freely (names, serials, addresses): each value is a time series for ever.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client';

export type { Counter, Gauge, Histogram, Registry } from '@prometheus-io/client';

/** What every metric has. */
export type MetricOptions<Label extends string> = {
  /** Name without the registry's prefix, unit last: 'enrollment_duration_seconds'. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly Label[] | undefined;
};

/** A counter may be brought up to date when it is scraped, where counting as it happens would cost too much. */
export type CounterOptions<Label extends string> = MetricOptions<Label> & {
  /** Called at each scrape; adds what has come together since the last one. */
  readonly collect?: ((counter: Counter<Label>) => void) | undefined;
};

/** A gauge may be read when it is scraped instead of being set. */
export type GaugeOptions<Label extends string> = MetricOptions<Label> & {
  /** Called at each scrape; sets the gauge. */
  readonly collect?: ((gauge: Gauge<Label>) => void | Promise<void>) | undefined;
};

/** A histogram's upper bounds, in the metric's unit. */
export type HistogramOptions<Label extends string> = MetricOptions<Label> & {
  readonly buckets?: readonly number[] | undefined;
};

/** The metrics of one process. */
export type Metrics = {
  readonly registry: Registry;
  counter<Label extends string = never>(options: CounterOptions<Label>): Counter<Label>;
  gauge<Label extends string = never>(options: GaugeOptions<Label>): Gauge<Label>;
  histogram<Label extends string = never>(options: HistogramOptions<Label>): Histogram<Label>;
};

/** Bounds in seconds that suit both a signature (0.1 ms) and a request that waits for a disk (seconds). */
export const durationBuckets: readonly number[] = [
  0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/**
 * Creates the process's metrics, with the usual ones of the process itself (CPU, memory, event loop, garbage
 * collection) under their usual names.
 *
 * @param prefix put before every name that is created through the result
 */
export function createMetrics(prefix = 'gatehouse_'): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const common = <Label extends string>(options: MetricOptions<Label>) => ({
    name: prefix + options.name,
    help: options.help,
    labelNames: options.labels ?? [],
    registers: [registry],
  });
  return {
    registry,
    counter: <Label extends string = never>(options: CounterOptions<Label>) => {
      const { collect } = options;
      const counter: Counter<Label> = new Counter<Label>({
        ...common(options),
        ...(collect === undefined ? {} : { collect: (): void => collect(counter) }),
      });
      return counter;
    },
    gauge: <Label extends string = never>(options: GaugeOptions<Label>) => {
      const { collect } = options;
      const gauge: Gauge<Label> = new Gauge<Label>({
        ...common(options),
        ...(collect === undefined ? {} : { collect: (): void | Promise<void> => collect(gauge) }),
      });
      return gauge;
    },
    histogram: (options) => new Histogram({ ...common(options), buckets: [...(options.buckets ?? durationBuckets)] }),
  };
}
