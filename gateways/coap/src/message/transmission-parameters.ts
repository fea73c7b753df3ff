// The numbers of RFC 7252 §4.8 and the bounds of what one session may make this gate remember. All can be set: tests use short
// times, a gate in a network of its own may know better ones.

/** How one session's messages are sent, repeated and remembered. */
export type TransmissionParameters = {
  /** ACK_TIMEOUT: the first wait for an Acknowledgement of ours, times 1 to {@link ackRandomFactor}. */
  readonly ackTimeoutMs: number;
  /** ACK_RANDOM_FACTOR, at least 1. */
  readonly ackRandomFactor: number;
  /** MAX_RETRANSMIT: how often a message is sent again, each time after twice the wait. */
  readonly maxRetransmit: number;
  /** EXCHANGE_LIFETIME: how long the Message ID of a Confirmable message is remembered, §4.8.2. */
  readonly exchangeLifetimeMs: number;
  /** NON_LIFETIME: the same of a Non-confirmable one. */
  readonly nonLifetimeMs: number;
  /** When a request that is not answered yet gets its empty Acknowledgement: within the peer's ACK_TIMEOUT, §5.2.2. */
  readonly emptyAckAfterMs: number;
  /** Requests that are remembered, answered or not; when all are in work a new one gets 5.03. */
  readonly maximumRequests: number;
  /** Octets of replies kept for repetition; the oldest go first. At least that of one message. */
  readonly maximumReplyOctets: number;
  /** Max-Age of the 5.03 that a request gets for which there is no room. */
  readonly busyMaxAgeSeconds: number;
};

/** RFC 7252 §4.8, table 2 and table 3; NSTART is 1. */
export const defaultTransmissionParameters: TransmissionParameters = {
  ackTimeoutMs: 2_000,
  ackRandomFactor: 1.5,
  maxRetransmit: 4,
  exchangeLifetimeMs: 247_000,
  nonLifetimeMs: 145_000,
  emptyAckAfterMs: 1_000,
  maximumRequests: 64,
  maximumReplyOctets: 32_768,
  busyMaxAgeSeconds: 5,
};
