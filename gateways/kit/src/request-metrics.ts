// What is measured about a gate's requests. Labels take few values only; nothing that a client chooses becomes a label.

import type { Metrics } from '@gatehouse/runtime/metrics';

/** Measures connections. */
export type ConnectionMetrics = {
  /** @param reason `address`: too many connections of one address */
  connectionRefused(reason: 'address'): void;
};

/** Measures requests and connections. */
export type RequestMetrics = ConnectionMetrics & {
  answered(status: number, seconds: number, wasDelivered: boolean): void;
  handshakeFailed(): void;
};

/** Registers the metrics of connections alone, for gates that count their requests themselves. */
export function createConnectionMetrics(metrics: Metrics): ConnectionMetrics {
  const refused = metrics.counter({
    name: 'http_connections_refused_total',
    help: 'Connections refused by reason.',
    labels: ['reason'],
  });
  return { connectionRefused: (reason) => refused.labels(reason).inc() };
}

/** Registers the metrics. */
export function createRequestMetrics(metrics: Metrics): RequestMetrics {
  const requests = metrics.counter({ name: 'http_requests_total', help: 'Requests by status.', labels: ['status'] });
  const durations = metrics.histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the request line to the end of the answer.',
  });
  const undelivered = metrics.counter({ name: 'http_undelivered_total', help: 'Answers whose client went away.' });
  const handshakes = metrics.counter({ name: 'tls_handshakes_failed_total', help: 'TLS handshakes that failed.' });
  return {
    ...createConnectionMetrics(metrics),
    answered: (status, seconds, wasDelivered) => {
      requests.labels(String(status)).inc();
      durations.observe(seconds);
      if (!wasDelivered) undelivered.inc();
    },
    handshakeFailed: () => handshakes.inc(),
  };
}
