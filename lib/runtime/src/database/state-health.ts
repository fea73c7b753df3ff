// Whether a gate's database can be used, as the last attempt saw it: one log line when that changes, and while it cannot,
// another attempt each second, so that readiness comes back without a client.

import type { Logger } from '../log.ts';
import { StateUnavailableError } from './state-unavailable.ts';

const probeIntervalMs = 1_000;

/** What {@link watchStateHealth} takes. */
export type StateHealthParts = {
  readonly log: Logger;
  /** Uses the database; rejects with StateUnavailableError while it cannot. */
  probe(): Promise<unknown>;
};

/** What is known of a database. */
export type StateHealth = {
  /** Passes the outcome of an attempt on, and notes it. */
  observe<T>(attempt: Promise<T>): Promise<T>;
  isHealthy(): boolean;
  /** No more attempts. */
  stop(): void;
};

/** Starts healthy. */
export function watchStateHealth({ log, probe }: StateHealthParts): StateHealth {
  let failure: StateUnavailableError | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  function note(outcome: StateUnavailableError | undefined): void {
    if (outcome === undefined) {
      if (failure !== undefined) log.info('the state can be used again');
      clearTimeout(timer);
      timer = undefined;
    } else {
      // One line for each outage, not one for each client that meets it.
      if (failure === undefined) log.error({ code: outcome.cause.code }, outcome.message);
      if (!isStopped) timer ??= setTimeout(probeAgain, probeIntervalMs).unref();
    }
    failure = outcome;
  }

  function probeAgain(): void {
    timer = undefined;
    observe(probe()).catch((error) => {
      if (!(error instanceof StateUnavailableError)) log.error({ err: error }, 'an attempt to use the state failed');
    });
  }

  async function observe<T>(attempt: Promise<T>): Promise<T> {
    try {
      const result = await attempt;
      if (failure !== undefined) note(undefined);
      return result;
    } catch (error) {
      if (error instanceof StateUnavailableError) note(error);
      throw error;
    }
  }

  return {
    observe,
    isHealthy: () => failure === undefined,
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
