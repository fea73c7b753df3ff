// The worker that validates challenges (RFC 8555 §7.5.1), outside of requests and transactions: an authorization whose challenge was
// attempted is leased by one copy of the gate, which asks the perspectives and commits what comes of it: challenge, authorization and
// waiting order together (acme.md §3). After a crash another lease takes the validation up; who lost a lease changes nothing.

import type { StateOperation } from '@gatehouse/runtime/database/state-store';
import type { AcmeGate } from './gate.ts';
import { startLeasedWork } from './leased-work.ts';
import type { ValidationOutcome } from './perspectives/validation.ts';
import type { Problem } from './problem.ts';
import { type Authorization, type Lease, readAuthorization, StateChangedError } from './state/authorizations.ts';
import { countValidAuthorization, invalidateOrder } from './state/orders.ts';
import { putStatements } from './state/statements.ts';
import {
  invalidateAuthorization,
  listUnattended,
  renewLease,
  takeValidation,
  validateAuthorization,
} from './state/validations.ts';
import { storeProblem } from './stored-problem.ts';

/** What the worker needs of the gate. */
export type ValidationParts = Pick<AcmeGate, 'store' | 'validation' | 'rates' | 'clock' | 'log' | 'metrics' | 'worker'>;

/** The worker of this copy of the gate. */
export type ValidationJob = {
  /** Works on a validation that this copy has just leased. */
  wake(authorizationId: string, accountId?: string): void;
  /** Takes up validations that nobody works on any more. */
  sweep(): Promise<void>;
  /** Begins nothing new, and waits for what is under way; what is left then, others take up. */
  close(): Promise<void>;
};

/** For how long others keep away from a validation; it is prolonged as long as the worker lives. */
const leaseMs = 10_000;
const renewEveryMs = 2_500;
/** Validations at a time. They mostly wait for others; each asks a perspective twice, which has limits for one gate. */
const concurrency = 100;

/** How long the end of the process waits for validations. */
const closingMs = 2_000;

/** Own attempts of a validation that failed for our fault, and the pauses between them. */
const retryPausesMs = [1_000, 4_000];

/** The lease that a challenge request takes, for the worker of the same copy. */
export function newValidationLease({ worker, clock }: Pick<AcmeGate, 'worker' | 'clock'>): Lease {
  return { owner: worker, until: new Date(clock.now().getTime() + leaseMs) };
}

/** Starts the worker. */
export function startValidation(gate: ValidationParts): ValidationJob {
  const { store, validation, clock, log, worker } = gate;
  const finished = gate.metrics.counter({
    name: 'acme_validations_total',
    help: 'Validations of challenges that came to an end, by method and outcome.',
    labels: ['method', 'outcome'],
  });
  const duration = gate.metrics.histogram({
    name: 'acme_validation_duration_seconds',
    help: 'Time from the request of a client to the outcome of its challenge, retries included.',
    labels: ['method'],
  });
  const stop = new AbortController();

  const workOn = async (id: string): Promise<void> => {
    const authorization = await readAuthorization(store, id);
    const { status, method, leaseOwner } = authorization ?? {};
    if (authorization === undefined || status !== 'pending' || leaseOwner !== worker || method === undefined) return;
    const startedAt = clock.now();
    const outcome = await validate(authorization);
    if (outcome === undefined) return;
    try {
      await store.commit(settle(gate, authorization, outcome));
    } catch (error) {
      if (!(error instanceof StateChangedError)) throw error;
      log.warn({ authz: id }, 'another copy has the lease of this validation, or it was deactivated');
      return;
    }
    finished.labels(method, outcome.kind).inc();
    duration.labels(method).observe((clock.now().getTime() - startedAt.getTime()) / 1000);
    logOutcome(authorization, outcome);
  };

  /** @returns nothing when the process ends meanwhile */
  const validate = async (authorization: Authorization): Promise<ValidationOutcome | undefined> => {
    for (const pauseMs of retryPausesMs) {
      const outcome = await validation.validate(authorization);
      if (outcome.kind === 'passed' || !outcome.isOurFault) return outcome;
      log.warn({ authz: authorization.id, pauseMs, detail: outcome.problem.detail }, 'a validation is tried again');
      if (!(await pause(pauseMs, stop.signal))) return undefined;
    }
    return await validation.validate(authorization);
  };

  const logOutcome = ({ id, accountId, identifier, method }: Authorization, outcome: ValidationOutcome): void => {
    const facts = { authz: id, account: accountId, identifier: identifier.value, method, outcome: outcome.kind };
    if (outcome.kind === 'passed') log.info(facts, 'a challenge is valid');
    else
      log.info({ ...facts, problem: outcome.problem.type, detail: outcome.problem.detail }, 'a challenge is invalid');
  };

  const work = startLeasedWork({
    what: 'validation',
    log,
    concurrency,
    renewEveryMs,
    workOn,
    takeUp: async (room, isKnown) => {
      const now = clock.now();
      const found = (await listUnattended(store, now, room)).filter((id) => !isKnown(id));
      const lease = newValidationLease(gate);
      const taken = await Promise.all(found.map((id) => takeValidation(store, id, lease, now)));
      return taken.filter((authorization) => authorization !== undefined);
    },
    renew: async (ids) => {
      const lease = newValidationLease(gate);
      await Promise.all(ids.map((id) => renewLease(store, id, lease)));
    },
  });

  return {
    wake: (id, accountId = '') => work.add({ id, accountId }),
    sweep: work.sweep,
    close: async () => {
      stop.abort();
      work.stop();
      // Whoever still looks at a name then is left alone: the lease ends by itself, and another copy looks again.
      await Promise.race([work.idle(), pause(closingMs, new AbortController().signal)]);
    },
  };
}

/** acme.md §3, rule 1: nobody sees the last authorization valid beside a pending order, or one invalid beside a living one. */
function settle(
  { worker, clock, rates }: ValidationParts,
  authorization: Authorization,
  outcome: ValidationOutcome,
): readonly StateOperation[] {
  const { id, orderId, accountId, identifier } = authorization;
  const now = clock.now();
  if (outcome.kind === 'passed') {
    return [
      validateAuthorization(id, worker, now, outcome.expiresAt),
      ...outcome.statements.map((set) => putStatements(id, set)),
      ...(orderId === undefined ? [] : [countValidAuthorization(orderId)]),
      ...rates.forSuccess(accountId, identifier.value),
    ];
  }
  const { problem } = outcome;
  return [
    invalidateAuthorization(id, worker, storeProblem(problem), now),
    ...(orderId === undefined ? [] : [invalidateOrder(orderId, storeProblem(orderProblem(authorization, problem)))]),
    // What is our fault counts against nobody.
    ...(outcome.isOurFault ? [] : rates.forFailure(accountId, identifier.value)),
  ];
}

/** The error of an order says which of its names failed. */
function orderProblem({ identifier, method }: Authorization, problem: Problem): Problem {
  const value = identifier.isWildcard ? `*.${identifier.value}` : identifier.value;
  const { type, detail } = problem;
  return {
    type,
    detail: `validation of ${value} by ${method} failed: ${detail}`,
    subproblems: [{ type, detail, identifier: { type: identifier.type, value } }],
  };
}

/** @returns whether the time passed; false when it was aborted before */
function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(false);
      return;
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve(true);
    }, ms);
    const abort = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    signal.addEventListener('abort', abort, { once: true });
  });
}
