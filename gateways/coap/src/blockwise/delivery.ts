// Whether a client has got a response to its end, as far as anybody can know, RFC 7252 §4.2: that it has not is certain only when
// the last block never went out, or when each that did was rejected. Who gave the response hears what became of it.

import type { Logger } from '@gatehouse/runtime/log';
import type { Loss } from '../message/message.ts';
import type { CoapResponse } from '../request.ts';
import type { BlockMetrics } from './metrics.ts';

/** A response with the id of its request, for the log. */
export type GivenResponse = CoapResponse & { readonly requestId: string };

/**
 * What became of a response. `delivered`: the last block went out, and nobody says that it was lost. `unconfirmed`: it went out,
 * and its Acknowledgement did not come; the client may have it.
 */
export type DeliveryState = 'delivered' | 'unconfirmed' | 'undelivered';

/** A response on its way. */
export type Delivery = {
  readonly state: DeliveryState;
  /** The last block goes out, perhaps once more. @returns for the message layer, should it not be acknowledged */
  handOut(): (loss: Loss) => void;
  /** Nothing goes out any more: a secret is overwritten, and who gave the response is told. Once; never rejects. */
  end(): Promise<void>;
};

/** What {@link createDelivery} takes. */
export type DeliveryOptions = { readonly log: Logger; readonly metrics: BlockMetrics };

/** Begins the delivery of a response of which nothing went out yet. */
export function createDelivery(response: GivenResponse, { log, metrics }: DeliveryOptions): Delivery {
  const { requestId, isSecret, payload, onDelivered, onUndelivered } = response;
  /** Last blocks that went out and were not lost as far as anybody knows. */
  let out = 0;
  let isUnconfirmed = false;
  let told: DeliveryState | undefined;

  const stateNow = (): DeliveryState => {
    if (out > 0) return 'delivered';
    return isUnconfirmed ? 'unconfirmed' : 'undelivered';
  };

  const noteUnconfirmed = (): void => {
    if (onDelivered === undefined && onUndelivered === undefined) return;
    metrics.unconfirmed();
    log.warn(
      { requestId },
      'delivery of a generated key was not confirmed: the client may have it or not, and its certificate stands',
    );
  };

  /** The end has come, or what was said at the end turns out to be wrong. */
  const tell = async (): Promise<void> => {
    const state = stateNow();
    if (state === told) return;
    const isFirst = told === undefined;
    told = state;
    try {
      if (state === 'unconfirmed') noteUnconfirmed();
      if (state === 'undelivered') await onUndelivered?.();
      else if (isFirst) onDelivered?.();
    } catch (error) {
      log.error({ err: error, requestId, state }, 'the end of a transfer could not be acted upon');
    }
  };

  return {
    get state() {
      return stateNow();
    },
    handOut: () => {
      let isOut = true;
      out++;
      return ({ isCertain }) => {
        if (!isOut) return;
        isOut = false;
        out--;
        isUnconfirmed ||= !isCertain;
        if (told !== undefined) void tell();
      };
    },
    end: () => {
      if (isSecret === true) payload?.fill(0);
      return tell();
    },
  };
}
