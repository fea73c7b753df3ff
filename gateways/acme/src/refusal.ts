// What a request that failed is answered with, and what the log says about it: the client learns what it can mend, the
// operator the cause. Whatever is not foreseen is an internal error with an id, and nothing of it leaves the house.

import { BodyError, type BodyErrorCode } from '@gatehouse/gateway-kit/body';
import { noteCoreError } from '@gatehouse/gateway-kit/error-table';
import type { Exchange } from '@gatehouse/gateway-kit/exchange';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { StateUnavailableError } from '@gatehouse/runtime/database/state-store';
import type { Logger } from '@gatehouse/runtime/log';
import { AcmeError, isAlarming, toAcmeError } from './errors.ts';
import type { AcmeGate } from './gate.ts';

const bodyStatuses: Readonly<Record<BodyErrorCode, number>> = {
  'too-large': 413,
  malformed: 400,
  'too-slow': 408,
  aborted: 400,
};

/** What it takes of the gate. */
export type RefusalParts = { readonly log: Logger; readonly rates: Pick<AcmeGate['rates'], 'explain'> };

/** The refusal that an error becomes. */
export async function toRefusal(
  gate: RefusalParts,
  exchange: Pick<Exchange, 'requestId' | 'note'>,
  error: unknown,
): Promise<AcmeError> {
  const explained = await explain(gate, error);
  if (explained instanceof AcmeError) {
    const { type, detail, cause } = explained;
    exchange.note({ outcome: type, detail, ...(cause === undefined ? {} : { cause: String(cause) }) });
    return explained;
  }
  if (error instanceof CoreError) {
    exchange.note(noteCoreError(error));
    if (isAlarming(error)) {
      const { requestId } = exchange;
      gate.log.error({ err: error, requestId }, 'the CA core refuses what this gate does or vouches for');
    }
    return toAcmeError(error);
  }
  if (error instanceof BodyError) {
    exchange.note({ outcome: error.code });
    return new AcmeError('malformed', error.message, { status: bodyStatuses[error.code] });
  }
  if (error instanceof StateUnavailableError) {
    exchange.note({ outcome: 'database unavailable', err: error });
    const detail = 'the database of this server cannot be reached now; try again';
    return new AcmeError('serverInternal', detail, { status: 503, retryAfterSeconds: 5 });
  }
  gate.log.error({ err: error, requestId: exchange.requestId }, 'a request failed unexpectedly');
  return new AcmeError('serverInternal', `internal error, incident ${exchange.requestId}`);
}

/** A limit that was reached can say for how long, which costs a question to the database; without an answer it says less. */
async function explain({ rates }: RefusalParts, error: unknown): Promise<unknown> {
  if (!(error instanceof AcmeError) || error.type !== 'rateLimited') return error;
  try {
    return await rates.explain(error);
  } catch (failure) {
    if (failure instanceof StateUnavailableError) return error;
    throw failure;
  }
}
