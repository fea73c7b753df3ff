// A client as RFC 7252 §4 wants it, our message layer, and between them a network that loses, repeats and delays (and so
// reorders) as it is told. Time is virtual; the world goes on until nothing is due any more.

import { setImmediate } from 'node:timers/promises';
import { createManualClock } from '@gatehouse/runtime/clock';
import { createLog } from '@gatehouse/runtime/log';
import { encodeMessage } from '../../../src/message/codec.ts';
import type { CoapMessage, RequestMessage } from '../../../src/message/message.ts';
import { createMessaging } from '../../../src/message/messaging.ts';
import type { TransmissionParameters } from '../../../src/message/transmission-parameters.ts';
import { ManualTiming } from './manual-timing.ts';
import { changed, decoded, emptyMessage, messageMetrics, request } from './session.ts';

/** What the network does with one datagram: the delays of the copies that arrive; none is a loss. */
export type Fate = readonly number[];

/** What the client asks, and how long the handler takes for it. */
export type PlannedRequest = {
  readonly startMs: number;
  readonly handlerMs: number;
  readonly isFailing: boolean;
  readonly isConfirmable: boolean;
};

/** What the world is made of. */
export type WorldPlan = {
  readonly requests: readonly PlannedRequest[];
  /** Taken in turn, from the start again when they are used up. */
  readonly fates: readonly Fate[];
  /** How often in all the network may lose one and the same datagram. */
  readonly mostLosses: number;
  /** The session ends at this time, if at all. */
  readonly closeAtMs?: number | undefined;
  readonly parameters?: Partial<TransmissionParameters> | undefined;
};

/** What one request came to. */
export type WorldRequest = PlannedRequest & {
  readonly messageId: number;
  handled: number;
  unacknowledged: number;
  isAcknowledgedEmpty: boolean;
  /** Different responses that reached the client, as type and text. */
  readonly answers: Set<string>;
};

/** Lives through a plan. */
export async function live(plan: WorldPlan) {
  const timing = new ManualTiming();
  const requests = plan.requests.map((one, index): WorldRequest => {
    return {
      ...one,
      messageId: 100 + index,
      handled: 0,
      unacknowledged: 0,
      isAcknowledgedEmpty: false,
      answers: new Set(),
    };
  });
  const ofMessageId = (messageId: number): WorldRequest | undefined => requests[messageId - 100];
  const network = createNetwork(plan, timing);
  /** Message IDs of the server's Confirmable messages that it still waits for, by what it has been given. */
  const inFlight = new Set<number>();
  let mostInFlight = 0;

  const handle = async (seen: RequestMessage) => {
    const one = ofMessageId(seen.messageId) ?? fail('a request that nobody sent');
    one.handled++;
    if (one.handlerMs > 0) await new Promise<void>((resolve) => void timing.after(one.handlerMs, resolve));
    if (one.isFailing) throw new Error('the handler fails');
    return changed(`answer ${seen.messageId}`, { onUnacknowledged: () => void one.unacknowledged++ });
  };
  const messaging = createMessaging({
    send: (datagram) => {
      const message = decoded(Uint8Array.from(datagram));
      if (message.type === 'con') inFlight.add(message.messageId);
      mostInFlight = Math.max(mostInFlight, inFlight.size);
      network.send('to client', datagram, (copy) => takeAtClient(decoded(copy)));
    },
    handle,
    clock: createManualClock(new Date(0)),
    log: createLog({ name: 'test', level: 'silent' }),
    metrics: messageMetrics,
    parameters: plan.parameters,
    timing,
  });
  const sendToServer = (message: CoapMessage): void => {
    network.send('to server', encodeMessage(message), (copy) => {
      if (message.type === 'ack' || message.type === 'rst') inFlight.delete(message.messageId);
      messaging.receive(copy);
    });
  };
  const takeAtClient = (message: CoapMessage): void => {
    if (message.type === 'con') sendToServer(emptyMessage('ack', message.messageId));
    const one = ofMessageId(message.code === 0 ? message.messageId : Buffer.from(message.token).readUInt16BE());
    if (one === undefined) fail('a message that answers nothing');
    else if (message.code === 0) one.isAcknowledgedEmpty = true;
    else one.answers.add(`${message.type} ${Buffer.from(message.payload)}`);
  };

  for (const one of requests) {
    const token = Buffer.alloc(2);
    token.writeUInt16BE(one.messageId);
    const type = one.isConfirmable ? 'con' : 'non';
    const message = request({ type, messageId: one.messageId, token });
    const isDone = (): boolean => one.isAcknowledgedEmpty || one.answers.size > 0 || !one.isConfirmable;
    // RFC 7252 §4.2 as the client does it, and once more: each way may lose two, and one may come while the first is in work,
    // which is answered with nothing.
    const attempt = (count: number): void => {
      if (count > 0 && isDone()) return;
      sendToServer(message);
      if (count < 5) timing.after(2_500 * 2 ** count, () => attempt(count + 1));
    };
    timing.after(one.startMs, () => attempt(0));
  }
  if (plan.closeAtMs !== undefined) timing.after(plan.closeAtMs, () => messaging.close());

  while (timing.runNext()) await setImmediate();
  return { requests, mostInFlight, pendingTimers: timing.pending };
}

function createNetwork({ fates, mostLosses }: WorldPlan, timing: ManualTiming) {
  const losses = new Map<string, number>();
  let next = 0;
  return {
    send: (way: string, datagram: Uint8Array, deliver: (copy: Uint8Array) => void): void => {
      const copy = Uint8Array.from(datagram);
      const name = `${way} ${Buffer.from(copy).toString('hex')}`;
      let fate = fates.length === 0 ? [0] : (fates[next++ % fates.length] ?? [0]);
      if (fate.length === 0) {
        const lost = losses.get(name) ?? 0;
        if (lost >= mostLosses) fate = [0];
        else losses.set(name, lost + 1);
      }
      for (const delayMs of fate) timing.after(delayMs, () => deliver(copy));
    },
  };
}

function fail(what: string): never {
  throw new Error(what);
}
