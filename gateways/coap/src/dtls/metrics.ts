// What the DTLS server counts. Labels come from sets that are fixed here or in OpenSSL, never from what a peer sends.

import type { Counter, Histogram, Metrics } from '@gatehouse/runtime/metrics';

/** How a handshake ended. */
export type HandshakeOutcome = 'complete' | 'failed' | 'timeout' | 'evicted' | 'replaced' | 'limited' | 'shutdown';

/** Why a datagram was dropped without a word. */
export type DropCause =
  | 'no-port'
  | 'not-dtls'
  | 'too-long'
  | 'malformed-hello'
  | 'repeated-hello'
  | 'no-session'
  | 'unreadable'
  | 'closing'
  /** Something unexpected, which the log names. */
  | 'failed';

/** The instruments. */
export type DtlsMetrics = {
  readonly handshakes: Counter<'outcome'>;
  readonly handshakeSeconds: Histogram;
  readonly helloVerifyRequests: Counter;
  readonly datagrams: Counter<'direction'>;
  readonly octets: Counter<'direction'>;
  readonly dropped: Counter<'cause'>;
  readonly evictions: Counter<'kind'>;
  readonly retransmissions: Counter;
  readonly alerts: Counter<'direction' | 'description'>;
  readonly socketErrors: Counter;
};

/** Registers them. @param counts read at each scrape */
export function createDtlsMetrics(
  metrics: Metrics,
  counts: () => { readonly established: number; readonly halfOpen: number },
): DtlsMetrics {
  metrics.gauge({
    name: 'dtls_sessions',
    help: 'DTLS sessions now: established, and handshakes in progress',
    labels: ['state'],
    collect: (gauge) => {
      const { established, halfOpen } = counts();
      gauge.set({ state: 'established' }, established);
      gauge.set({ state: 'half-open' }, halfOpen);
    },
  });
  return {
    handshakes: metrics.counter({
      name: 'dtls_handshakes_total',
      help: 'Handshakes that ended, of peers that returned their cookie',
      labels: ['outcome'],
    }),
    handshakeSeconds: metrics.histogram({
      name: 'dtls_handshake_seconds',
      help: 'From the returned cookie to the end of a complete handshake',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    }),
    helloVerifyRequests: metrics.counter({
      name: 'dtls_hello_verify_requests_total',
      help: 'Cookies that were given out',
    }),
    datagrams: metrics.counter({ name: 'dtls_datagrams_total', help: 'UDP datagrams', labels: ['direction'] }),
    octets: metrics.counter({ name: 'dtls_octets_total', help: 'Octets of UDP payload', labels: ['direction'] }),
    dropped: metrics.counter({
      name: 'dtls_dropped_datagrams_total',
      help: 'Datagrams that were dropped without a word',
      labels: ['cause'],
    }),
    evictions: metrics.counter({
      name: 'dtls_evictions_total',
      help: 'Sessions and handshakes that made room for others',
      labels: ['kind'],
    }),
    retransmissions: metrics.counter({
      name: 'dtls_retransmissions_total',
      help: 'Flights of handshakes that were sent again',
    }),
    alerts: metrics.counter({
      name: 'dtls_alerts_total',
      help: 'Alerts, RFC 5246 §7.2',
      labels: ['direction', 'description'],
    }),
    socketErrors: metrics.counter({ name: 'dtls_socket_errors_total', help: 'Errors of the UDP socket' }),
  };
}
