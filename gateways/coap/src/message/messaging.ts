// The message layer of one session, RFC 7252 §4: each request reaches the handler once, however often its message comes, and
// each response goes back with the reliability that its request asked for. It must never trust what a peer sends: what it
// remembers is bounded, and a message that makes no sense gets a Reset or silence.

import { randomInt } from 'node:crypto';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import { Alarm } from './alarm.ts';
import { decodeMessage } from './codec.ts';
import { formatCode, kindOfCode } from './codes.ts';
import { ConfirmableSender } from './confirmable-sender.ts';
import { Exchanges } from './exchanges.ts';
import { Journal } from './journal.ts';
import type { CoapMessage, RequestHandler } from './message.ts';
import type { MessageMetrics } from './metrics.ts';
import { understoodCriticalOptions } from './option-numbers.ts';
import { encodeEmpty } from './replies.ts';
import { ReplyBudget } from './reply-budget.ts';
import { processTiming, type Timing } from './timing.ts';
import { defaultTransmissionParameters, type TransmissionParameters } from './transmission-parameters.ts';

/** What {@link createMessaging} takes. */
export type MessagingOptions = {
  /** Sends one datagram to the peer of the session; may lose it, must not throw, does not keep the buffer. */
  readonly send: (datagram: Uint8Array) => void;
  readonly handle: RequestHandler;
  readonly clock: Clock;
  /** Bound to the session. */
  readonly log: Logger;
  readonly metrics: MessageMetrics;
  readonly parameters?: Partial<TransmissionParameters> | undefined;
  /** What fits into one datagram of this session; no bound unless told. */
  readonly maximumMessageOctets?: number | undefined;
  /** Shared by all sessions; one of this session's own unless told. */
  readonly replyBudget?: ReplyBudget | undefined;
  /** Critical options that the handler understands; {@link understoodCriticalOptions} unless told. */
  readonly understoodOptions?: ReadonlySet<number> | undefined;
  readonly timing?: Timing | undefined;
};

/** The message layer of one session. */
export type Messaging = {
  /** Takes one datagram of the peer, which nobody changes afterwards. Never throws. */
  receive(datagram: Uint8Array): void;
  /** The session has ended: nothing is sent any more, and responses that are under way are not acknowledged. */
  close(): void;
};

/** Creates the message layer of a session that has just been opened. */
export function createMessaging(options: MessagingOptions): Messaging {
  const { timing = processTiming } = options;
  const parameters = { ...defaultTransmissionParameters, ...options.parameters };
  const journal = new Journal(options.log, options.metrics);
  const send = (datagram: Uint8Array): void => {
    try {
      options.send(datagram);
    } catch (error) {
      journal.notSent(error);
    }
  };
  const sender = new ConfirmableSender({
    parameters,
    now: () => timing.now(),
    send,
    onRetransmission: () => journal.retransmitted(),
  });
  const exchanges = new Exchanges({
    send,
    handle: options.handle,
    clock: options.clock,
    timing,
    parameters,
    understoodOptions: options.understoodOptions ?? understoodCriticalOptions,
    sender,
    takeMessageId: createMessageIds(),
    journal,
    maximumMessageOctets: options.maximumMessageOctets ?? Number.POSITIVE_INFINITY,
    replyBudget: options.replyBudget ?? new ReplyBudget(),
    onProgress: () => setAlarm(),
  });
  const alarm = new Alarm(timing, () => {
    sender.runDue(timing.now());
    exchanges.runDue(timing.now());
    setAlarm();
  });
  let isClosed = false;
  const setAlarm = (): void => {
    if (!isClosed) alarm.setFor(earlier(sender.nextDue, exchanges.nextDue));
  };

  return {
    receive: (datagram) => {
      if (isClosed) return;
      const decoded = decodeMessage(datagram);
      if (decoded.kind !== 'message') {
        // RFC 7252 §4.2, §4.3: only what is Confirmable is rejected aloud; §3: another version in silence.
        if (decoded.kind === 'format-error' && decoded.isConfirmable) send(encodeEmpty('rst', decoded.messageId));
        journal.rejected('format', decoded.cause);
        return;
      }
      exchanges.runDue(timing.now());
      dispatch(decoded.message, { send, sender, exchanges, journal });
      setAlarm();
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      alarm.cancel();
      exchanges.close();
      sender.close();
    },
  };
}

type Parts = Pick<MessagingOptions, 'send'> & {
  readonly sender: ConfirmableSender;
  readonly exchanges: Exchanges;
  readonly journal: Journal;
};

/** Gives a message to whom it is for, RFC 7252 §4.2 and §4.3. */
function dispatch(message: CoapMessage, { send, sender, exchanges, journal }: Parts): void {
  const { type, code, messageId } = message;
  const kind = kindOfCode(code);
  if (type === 'ack') {
    // RFC 7252 §5.2.2: any matching Acknowledgement ends retransmission, also one with a Response Code; §4.2: one with a
    // request is ignored.
    if (kind !== 'request') sender.take(messageId, 'acknowledged');
  } else if (type === 'rst') {
    // RFC 7252 §4.2: a Reset MUST be Empty.
    if (kind === 'empty') sender.take(messageId, 'reset');
  } else if (kind === 'request') {
    exchanges.take(message);
  } else {
    // Nobody here asked anything, so a response has no context; an Empty Confirmable message is a ping, §4.3.
    if (type === 'con') send(encodeEmpty('rst', messageId));
    if (kind === 'response') journal.rejected('no-context', `a response ${formatCode(code)}`);
  }
}

/**
 * Message IDs of our own, RFC 7252 §4.4: from a random one upwards. None comes again within EXCHANGE_LIFETIME as long as a
 * session has fewer than 265 slow or Non-confirmable requests a second.
 */
function createMessageIds(): () => number {
  let next = randomInt(0x1_0000);
  return () => {
    const messageId = next;
    next = (next + 1) & 0xffff;
    return messageId;
  };
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}
