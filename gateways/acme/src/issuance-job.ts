// The worker that has orders signed, RFC 8555 §7.4: an order that is `processing` is leased by one copy of the gate, asked
// of the keep under one idempotency key, and becomes valid in the commit that stores its certificate. While the keep is
// away an order waits; after a crash another lease takes it up. What waiting cannot mend makes it invalid.

import { readCertificate } from '@gatehouse/pkix/certificate';
import { parseJson } from '@gatehouse/pkix/jose/json';
import { readJwk } from '@gatehouse/pkix/jose/jwk';
import type { EnrollmentOutcome, IssuedEnrollment } from '@gatehouse/ra-client/enrollment';
import { newUnguessableId } from '@gatehouse/runtime/identifiers';
import { certificateIdOf } from './certificate-id.ts';
import { storeChain } from './chains.ts';
import { AcmeError } from './errors.ts';
import type { AcmeGate } from './gate.ts';
import { judgeFailure } from './issuance-failure.ts';
import { startLeasedWork } from './leased-work.ts';
import { type Account, readAccount } from './state/accounts.ts';
import { type Lease, StateChangedError } from './state/authorizations.ts';
import { insertCertificate, markReplaced } from './state/certificates.ts';
import {
  completeOrder,
  failOrder,
  listWaitingOrders,
  postponeIssuance,
  renewIssuance,
  takeIssuance,
} from './state/issuance.ts';
import { type Order, readOrder } from './state/orders.ts';
import { storeProblem } from './stored-problem.ts';
import { type FinalizedOrder, isFinalized, toEnrollment } from './translate.ts';

/** What the worker needs of the gate. */
export type IssuanceParts = Pick<
  AcmeGate,
  'store' | 'core' | 'validation' | 'profiles' | 'clock' | 'log' | 'metrics' | 'worker'
>;

/** The worker of this copy of the gate. */
export type Issuance = {
  /** Works on an order that this copy has just leased. */
  wake(orderId: string, accountId?: string): void;
  /** Looks for orders that nobody works on. */
  sweep(): Promise<void>;
  /** Begins nothing new, and waits for what is under way; what is left then, others take up. */
  close(): Promise<void>;
};

/**
 * For how long others keep away from an order; it is prolonged as long as the worker lives. Two workers at once do no harm,
 * since the keep answers both alike: what is short is what a client waits after a crash.
 */
const leaseMs = 6_000;
const renewEveryMs = 2_000;
/** Orders at a time; the keep is asked no more often than it can answer. */
const concurrency = 64;
const pendingRetrySeconds = 30;

/** The lease that a finalize request takes, for the worker of the same copy. */
export function newIssuanceLease({ worker, clock }: Pick<AcmeGate, 'worker' | 'clock'>): Lease {
  return { owner: worker, until: new Date(clock.now().getTime() + leaseMs) };
}

/** Starts the worker. */
export function startIssuance(gate: IssuanceParts): Issuance {
  const { store, log, clock, worker } = gate;
  const issued = gate.metrics.counter({
    name: 'acme_issuances_total',
    help: 'Orders whose issuance came to an end or was put off, by what became of them.',
    labels: ['outcome'],
  });

  const workOn = async (orderId: string): Promise<void> => {
    const order = await readOrder(store, orderId);
    if (order?.status !== 'processing' || order.leaseOwner !== worker) return;
    const account = await readAccount(store, order.accountId);
    try {
      if (account === undefined || !isFinalized(order)) throw new Error('a processing order lacks what it is made of');
      await settle(order, account, await enroll(gate, order, account));
    } catch (error) {
      if (error instanceof StateChangedError) log.warn({ order: orderId }, 'another copy has the lease of this order');
      else await giveUpOrPutOff(order, error);
    }
  };

  const settle = async (order: FinalizedOrder, account: Account, outcome: EnrollmentOutcome): Promise<void> => {
    if (outcome.kind === 'pending') {
      await postpone(order, Math.max(1, outcome.retryAfterSeconds || pendingRetrySeconds) * 1_000);
      return;
    }
    await store.commit(issuedOperations(order, worker, outcome));
    issued.inc({ outcome: 'issued' });
    const { serialNumber, isRepeated } = outcome;
    log.info({ order: order.id, account: account.id, profile: order.profile, serialNumber, isRepeated }, 'issued');
  };

  const giveUpOrPutOff = async (order: Order, error: unknown): Promise<void> => {
    const verdict = judgeFailure(error, order, clock.now());
    const facts = { err: error, order: order.id, account: order.accountId, attempts: order.attempts };
    if (verdict.kind === 'wait') {
      log.warn({ ...facts, waitMs: verdict.waitMs }, 'an order could not be issued yet');
      await postpone(order, verdict.waitMs);
      return;
    }
    await store.commit([failOrder(order.id, worker, storeProblem(verdict.problem))]);
    issued.inc({ outcome: verdict.isAlarming ? 'refused-alarming' : 'refused' });
    if (verdict.isAlarming)
      log.error({ ...facts, alarm: 'issuance' }, 'the core does not believe what this gate shows it');
    else log.info({ ...facts, problem: verdict.problem.type }, 'an order is invalid');
  };

  const postpone = async (order: Order, waitMs: number): Promise<void> => {
    await store.commit([postponeIssuance(order.id, worker, new Date(clock.now().getTime() + waitMs))]);
    issued.inc({ outcome: 'put-off' });
  };

  const work = startLeasedWork({
    what: 'order',
    log,
    concurrency,
    renewEveryMs,
    workOn,
    takeUp: async (room, isKnown) => {
      const now = clock.now();
      const found = (await listWaitingOrders(store, now, room)).filter((id) => !isKnown(id));
      const lease = newIssuanceLease(gate);
      const taken = await Promise.all(found.map((id) => takeIssuance(store, id, lease, now)));
      return taken.filter((order) => order !== undefined);
    },
    renew: async (ids) => {
      const lease = newIssuanceLease(gate);
      await Promise.all(ids.map((id) => renewIssuance(store, id, lease)));
    },
  });

  return {
    wake: (id, accountId = '') => work.add({ id, accountId }),
    sweep: work.sweep,
    close: async () => {
      const given = work.stop().map((id) => postponeIssuance(id, worker, clock.now()));
      if (given.length > 0) await store.commit(given);
      await work.idle();
    },
  };
}

async function enroll(gate: IssuanceParts, order: FinalizedOrder, account: Account): Promise<EnrollmentOutcome> {
  // RFC 8555 §7.3.6: a deactivated account gets nothing any more.
  if (account.status !== 'valid') throw new AcmeError('unauthorized', 'the account was deactivated');
  const profile = gate.profiles.pick(order.profile, account);
  // The key may have been changed since the order was finalized.
  const { finalizeJwk } = order;
  const isCurrent = finalizeJwk === account.jwk;
  const thumbprint = isCurrent ? account.thumbprint : readJwk(parseJson(finalizeJwk)).thumbprint;
  return await gate.core.enroll(await toEnrollment(gate, order, account, profile, thumbprint));
}

/** The order becomes valid together with its certificate: nobody sees one without the other. */
function issuedOperations(order: Order, worker: string, issued: IssuedEnrollment) {
  const certificate = readCertificate(issued.certificate);
  const certId = certificateIdOf(certificate);
  if (certId === undefined) throw new Error('the keep issued a certificate that does not name the key of its issuer');
  const id = newUnguessableId();
  return [
    completeOrder(order.id, worker, id),
    insertCertificate({
      id,
      accountId: order.accountId,
      orderId: order.id,
      serialNumber: certificate.serialNumber,
      certId,
      certificate: issued.certificate,
      chain: storeChain(issued.chain),
      notBefore: issued.notBefore,
      notAfter: issued.notAfter,
    }),
    ...(order.replaces === undefined ? [] : [markReplaced(order.replaces, order.accountId, id)]),
  ];
}
