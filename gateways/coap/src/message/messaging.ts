// The message layer of one session, RFC 7252 §4: each request reaches the handler once, however often its message comes, and
// each response goes back with the reliability that its request asked for. It must never trust what a peer sends: what it
// remembers is bounded, and a message that makes no sense gets a Reset or silence.

import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import type { RequestHandler } from './message.ts';
import type { MessageMetrics } from './metrics.ts';
import type { Timing } from './timing.ts';
import type { TransmissionParameters } from './transmission-parameters.ts';

/** What {@link createMessaging} takes. */
export type MessagingOptions = {
  /** Sends one datagram to the peer of the session; may lose it, must not throw. */
  readonly send: (datagram: Uint8Array) => void;
  readonly handle: RequestHandler;
  readonly clock: Clock;
  /** Bound to the session. */
  readonly log: Logger;
  readonly metrics: MessageMetrics;
  readonly parameters?: Partial<TransmissionParameters> | undefined;
  /** Critical options that the handler understands; `understoodCriticalOptions` unless told. */
  readonly understoodOptions?: ReadonlySet<number> | undefined;
  readonly timing?: Timing | undefined;
};

/** The message layer of one session. */
export type Messaging = {
  /** Takes one datagram of the peer. Never throws. */
  receive(datagram: Uint8Array): void;
  /** The session has ended: nothing is sent any more, and responses that are under way are undelivered. */
  close(): void;
};

/** {@link createMessaging}. */
export type CreateMessaging = (options: MessagingOptions) => Messaging;
