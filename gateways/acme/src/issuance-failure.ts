// What becomes of an order whose issuance failed: it waits as long as waiting may help, else it is invalid with a problem
// that a person can act on (acme.md §4, 'Core errors'). An order never goes back to `ready`.

import { CoreError } from '@gatehouse/ra-client/core-error';
import { StateUnavailableError } from '@gatehouse/runtime/database/state-store';
import { AcmeError, isAlarming, toAcmeError } from './errors.ts';
import type { Problem } from './problem.ts';
import type { Order } from './state/orders.ts';

/** The verdict. */
export type FailureVerdict =
  | { readonly kind: 'wait'; readonly waitMs: number }
  | {
      readonly kind: 'invalid';
      readonly problem: Problem;
      /** An operator should know: what this gate vouches for is not believed, or the gate itself is not. */
      readonly isAlarming: boolean;
    };

const firstWaitMs = 1_000;
const longestWaitMs = 60_000;
/** While the keep or the database is away: asking in vain costs next to nothing, and clients wait for its return. */
const longestAbsenceWaitMs = 5_000;
/** What fails without a cause that passes is not tried for ever. */
const mostAttempts = 8;

/** Judges a failed attempt. @param error of the keep, of a check, or of this gate itself */
export function judgeFailure(error: unknown, order: Pick<Order, 'attempts' | 'expiresAt'>, now: Date): FailureVerdict {
  const passes = mayPass(error);
  const isOver = now >= order.expiresAt || (passes === 'perhaps' && order.attempts >= mostAttempts);
  if (passes !== 'never' && !isOver) return { kind: 'wait', waitMs: waitOf(error, order.attempts) };
  return { kind: 'invalid', problem: problemOf(error), isAlarming: error instanceof CoreError && isAlarming(error) };
}

function mayPass(error: unknown): 'surely' | 'perhaps' | 'never' {
  if (error instanceof StateUnavailableError) return 'surely';
  if (error instanceof CoreError) {
    if (error.code === 'unavailable' || error.code === 'rate-limited') return 'surely';
    return error.code === 'internal' ? 'perhaps' : 'never';
  }
  if (error instanceof AcmeError && error.type !== 'serverInternal') return 'never';
  // Something that this gate waits for itself: the profiles of a keep that it has not reached yet.
  return error instanceof AcmeError && error.status === 503 ? 'surely' : 'perhaps';
}

/** Twice as long each time, and not all at once after the keep was away. */
function waitOf(error: unknown, attempts: number): number {
  const wantedMs = error instanceof CoreError ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
  const longestMs = isAway(error) ? longestAbsenceWaitMs : longestWaitMs;
  const backOffMs = Math.min(longestMs, firstWaitMs * 2 ** Math.min(16, Math.max(0, attempts - 1)));
  return Math.max(wantedMs, Math.round(backOffMs * (0.8 + 0.4 * Math.random())));
}

function isAway(error: unknown): boolean {
  return error instanceof StateUnavailableError || (error instanceof CoreError && error.code === 'unavailable');
}

function problemOf(error: unknown): Problem {
  if (error instanceof AcmeError) return error.problem;
  if (!(error instanceof CoreError)) return broken;
  switch (error.code) {
    case 'unavailable':
    case 'rate-limited':
      return { type: 'serverInternal', detail: 'the certificate authority could not issue before the order expired' };
    case 'internal':
      return broken;
    case 'evidence-missing':
    case 'evidence-invalid':
      return {
        type: 'unauthorized',
        detail: `the certificate authority does not accept what shows that the account controls the names: ${error.detail}; the names must be validated again in a new order`,
        subproblems: toAcmeError(error).options.subproblems,
      };
    default:
      return toAcmeError(error).problem;
  }
}

const broken: Problem = { type: 'serverInternal', detail: 'the certificate could not be issued; make a new order' };
