// What the message layers of all sessions count together. Labels are of this gate's choosing only.

import type { Counter, Metrics } from '@gatehouse/runtime/metrics';

/** Why a message came to nothing. */
export type RejectionCause = 'format' | 'option' | 'no-context' | 'busy';

/** The counters of {@link createMessageMetrics}. */
export type MessageMetrics = {
  readonly retransmissions: Counter;
  readonly duplicates: Counter;
  readonly separateResponses: Counter;
  readonly unacknowledged: Counter<'cause'>;
  readonly rejections: Counter<'cause'>;
};

/** Creates the counters, once a process. */
export function createMessageMetrics(metrics: Metrics): MessageMetrics {
  return {
    retransmissions: metrics.counter({
      name: 'coap_retransmissions_total',
      help: 'Confirmable responses that were sent again, RFC 7252 §4.2',
    }),
    duplicates: metrics.counter({
      name: 'coap_duplicates_total',
      help: 'Requests whose Message ID was known, RFC 7252 §4.5',
    }),
    separateResponses: metrics.counter({
      name: 'coap_separate_responses_total',
      help: 'Requests that were acknowledged before they were answered, RFC 7252 §5.2.2',
    }),
    unacknowledged: metrics.counter({
      name: 'coap_unacknowledged_responses_total',
      help: 'Responses that could not be sent or were not acknowledged, RFC 7252 §4.2',
      labels: ['cause'],
    }),
    rejections: metrics.counter({
      name: 'coap_rejected_messages_total',
      help: 'Messages that came to nothing, RFC 7252 §4.2 and §4.3',
      labels: ['cause'],
    }),
  };
}
