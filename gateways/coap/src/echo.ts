// The Echo option, RFC 9175 §2: after a long silence a client shows that it is there now, so that a datagram that somebody kept
// back has no effect. Off unless it is configured: DTLS knows the peer and refuses repetitions already (RFC 6347 §4.1.2.6).

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@gatehouse/runtime/clock';
import { responseCodes } from './message/codes.ts';
import type { RequestHandler } from './message/message.ts';
import { optionNumbers } from './message/option-numbers.ts';
import { optionOf } from './message/options.ts';

/** Makes Echo option values and knows them again, without keeping any, RFC 9175 §2.3 and appendix A, method 3. */
export type EchoValues = {
  /** @param sessionId the value is good in this session only */
  make(sessionId: string): Uint8Array;
  /** Whether the value was made for this session a short while ago. */
  isFresh(sessionId: string, value: Uint8Array): boolean;
};

/** MAX_TRANSMIT_WAIT, RFC 7252 §4.8.2: so long a client may be at sending its request again. */
const freshMs = 93_000;
const timeOctets = 6;
const macOctets = 8;

/** Makes values under a key of this process: after a restart no client has a session any more. */
export function createEchoValues(clock: Clock): EchoValues {
  const key = randomBytes(32);
  const macOf = (sessionId: string, time: Uint8Array): Buffer =>
    createHmac('sha256', key).update(time).update(sessionId).digest().subarray(0, macOctets);
  return {
    make: (sessionId) => {
      const time = Buffer.alloc(timeOctets);
      time.writeUIntBE(clock.now().getTime(), 0, timeOctets);
      return Buffer.concat([time, macOf(sessionId, time)]);
    },
    isFresh: (sessionId, value) => {
      if (value.length !== timeOctets + macOctets) return false;
      const time = Buffer.from(value.subarray(0, timeOctets));
      if (!timingSafeEqual(macOf(sessionId, time), value.subarray(timeOctets))) return false;
      const age = clock.now().getTime() - time.readUIntBE(0, timeOctets);
      return age >= 0 && age <= freshMs;
    },
  };
}

/** What {@link createEchoGuard} takes. */
export type EchoGuardOptions = {
  readonly values: EchoValues;
  readonly sessionId: string;
  /** After this long without a request the next one has to show that it is fresh. */
  readonly afterIdleMs: number;
  readonly clock: Clock;
  readonly handle: RequestHandler;
};

/**
 * Puts the guard before a session's requests: below block-wise transfers, so that the block that is challenged is the block that
 * comes again. After a silence requests get 4.01 with Echo, RFC 9175 §2.3, until one comes that echoes it.
 */
export function createEchoGuard(options: EchoGuardOptions): RequestHandler {
  const { values, sessionId, afterIdleMs, clock, handle } = options;
  let heardAt = clock.now().getTime();
  let mustShow = false;
  return async (request) => {
    const now = clock.now().getTime();
    if (now - heardAt > afterIdleMs) mustShow = true;
    heardAt = now;
    const echoed = optionOf(request, optionNumbers.echo);
    if (mustShow && echoed !== undefined && values.isFresh(sessionId, echoed)) mustShow = false;
    if (!mustShow) return handle(request);
    const echo = { number: optionNumbers.echo, value: values.make(sessionId) };
    return { code: responseCodes.unauthorized, options: [echo], payload: new Uint8Array() };
  };
}
